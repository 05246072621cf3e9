// SPDX-License-Identifier: MIT
// /dev/crypto of Linux: the ABI of cryptodev-linux, which the module of kernel-patch/linux has, too. CIOCGSESSDRV and the driver's
// choice by name are that module's own.
#ifdef __linux__
#include <errno.h>
#include <linux/ioctl.h>

#include <cstring>
#include <vector>

#include "cryptodev_device.h"

namespace so_crypt::cryptodev {
namespace {

struct SessionOp {
  uint32_t cipher, mac, key_length;
  const uint8_t* key;
  uint32_t mac_key_length;
  const uint8_t* mac_key;
  uint32_t session;
};

struct SessionDriverOp {
  uint32_t cipher, mac, key_length, mac_key_length;
  uint64_t key, mac_key;
  char cipher_driver[64], mac_driver[64];
  uint32_t session, flags;
};

struct SessionInfoOp {
  uint32_t session;
  char cipher_name[64], cipher_driver[64], hash_name[64], hash_driver[64];
  uint16_t alignment_mask;
  uint32_t flags;
};

struct CryptOp {
  uint32_t session;
  uint16_t op, flags;
  uint32_t length;
  const uint8_t* in;
  uint8_t *out, *mac;
  const uint8_t* iv;
};

struct AuthCryptOp {
  uint32_t session;
  uint16_t op, flags;
  uint32_t length, aad_length;
  const uint8_t *aad, *in;
  uint8_t *out, *tag;
  uint32_t tag_length;
  const uint8_t* iv;
  uint32_t iv_length;
};

constexpr unsigned long kOpen = _IOWR('c', 102, SessionOp);
constexpr unsigned long kClose = _IOW('c', 103, uint32_t);
constexpr unsigned long kCrypt = _IOWR('c', 104, CryptOp);
constexpr unsigned long kInfo = _IOWR('c', 107, SessionInfoOp);
constexpr unsigned long kAuthCrypt = _IOWR('c', 109, AuthCryptOp);
constexpr unsigned long kOpenByDriver = _IOWR('c', 160, SessionDriverOp);

// 0: the ABI has no number for it.
uint32_t NumberOf(const CipherInfo& info) {
  if (strstr(info.name, "des-ede3-cbc") != nullptr) return 2;
  if (strncmp(info.name, "aes-", 4) != 0) return 0;
  if (info.mode == CipherMode::kCbc) return 11;
  if (info.mode == CipherMode::kCtr) return 21;
  return info.one_update ? 51 : 50;  // CCM, GCM
}

// Where tag and text do not lie together.
thread_local std::vector<uint8_t> scratch;

// The device's form of CCM's nonce is the first block of RFC 3610 2.3 without its flags but for the length of the length.
void MakeIv(const CipherInfo& info, const uint8_t* nonce, uint8_t* iv) {
  const size_t skip = info.one_update ? 1 : 0;
  iv[0] = static_cast<uint8_t>(14 - info.iv_length);
  memcpy(iv + skip, nonce, info.iv_length);
  memset(iv + skip + info.iv_length, 0, 16 - skip - info.iv_length);
}

}  // namespace

bool OpenSession(const CipherInfo& info, const char* driver, const uint8_t* key, uint32_t* session) {
  const uint32_t number = NumberOf(info);
  if (number == 0) {
    LastFailure() = {"CIOCGSESSION", ENOENT};
    return false;
  }
  if (driver == nullptr) {
    SessionOp op = {number, 0, info.key_length, key, 0, nullptr, 0};
    if (!Call("CIOCGSESSION", kOpen, &op)) return false;
    *session = op.session;
    return true;
  }
  SessionDriverOp op = {};
  op.cipher = number;
  op.key_length = info.key_length;
  op.key = reinterpret_cast<uintptr_t>(key);
  if (strlen(driver) >= sizeof op.cipher_driver) {
    LastFailure() = {"CIOCGSESSDRV", ENOENT};
    return false;
  }
  strcpy(op.cipher_driver, driver);
  if (!Call("CIOCGSESSDRV", kOpenByDriver, &op)) return false;
  *session = op.session;
  return true;
}

void CloseSession(uint32_t session) { Call("CIOCFSESSION", kClose, &session); }

std::string DriverOf(uint32_t session) {
  SessionInfoOp op = {};
  op.session = session;
  if (!Call("CIOCGSESSINFO", kInfo, &op)) return "";
  return std::string(op.cipher_driver, strnlen(op.cipher_driver, sizeof op.cipher_driver));
}

Outcome Crypt(const CipherInfo&, uint32_t session, bool encrypt, const Record& r) {
  CryptOp op = {session, static_cast<uint16_t>(encrypt ? 0 : 1), 0, static_cast<uint32_t>(r.length), r.in, r.out, nullptr, r.nonce};
  return Call("CIOCCRYPT", kCrypt, &op) ? Outcome::kDone : Outcome::kFailed;
}

Outcome Aead(const CipherInfo& info, uint32_t session, bool encrypt, const Record& r) {
  const uint8_t* in = r.in;
  uint8_t* out = r.out;
  const size_t tag_length = info.tag_length;
  const bool together = encrypt ? r.tag == out + r.length : r.sent_tag == in + r.length;
  if (!together) {
    scratch.resize(r.length + tag_length);
    if (encrypt) {
      out = scratch.data();
    } else {
      memcpy(scratch.data(), in, r.length);
      memcpy(scratch.data() + r.length, r.sent_tag, tag_length);
      in = scratch.data();
    }
  }
  uint8_t iv[16];
  MakeIv(info, r.nonce, iv);
  AuthCryptOp op = {};
  op.session = session;
  op.op = encrypt ? 0 : 1;
  op.length = static_cast<uint32_t>(r.length + (encrypt ? 0 : tag_length));
  op.aad = r.aad;
  op.aad_length = static_cast<uint32_t>(r.aad_length);
  op.in = in;
  op.out = out;
  op.tag_length = static_cast<uint32_t>(tag_length);
  op.iv = iv;
  op.iv_length = info.one_update ? 16 : info.iv_length;
  if (!Call("CIOCAUTHCRYPT", kAuthCrypt, &op))
    return !encrypt && LastFailure().error == EBADMSG ? Outcome::kNotAuthentic : Outcome::kFailed;
  if (encrypt && !together) {
    memcpy(r.out, out, r.length);
    memcpy(r.tag, out + r.length, tag_length);
  }
  return Outcome::kDone;
}

}  // namespace so_crypt::cryptodev
#endif
