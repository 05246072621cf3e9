// SPDX-License-Identifier: MIT
// /dev/crypto of FreeBSD, and of OpenBSD up to 5.6 (no AEAD, no choice of a driver, and a CTR mode that is RFC 3686's alone).
#ifndef __linux__
#include "cryptodev_device.h"

#include <errno.h>

#if defined(__FreeBSD__) || defined(__OpenBSD__)
#include <sys/types.h>

#include <crypto/cryptodev.h>

#include <cstring>

namespace so_crypt::cryptodev {
namespace {

// 0: the system has no number for it.
int NumberOf(const CipherInfo& info) {
  if (strcmp(info.name, "des-ede3-cbc") == 0) return CRYPTO_3DES_CBC;
  if (info.mode == CipherMode::kCbc) return CRYPTO_AES_CBC;
#ifdef __FreeBSD__
  if (info.mode == CipherMode::kCtr) return CRYPTO_AES_ICM;
  if (strcmp(info.name, "chacha20-poly1305") == 0) return CRYPTO_CHACHA20_POLY1305;
  return info.one_update ? CRYPTO_AES_CCM_16 : CRYPTO_AES_NIST_GCM_16;
#else
  return 0;
#endif
}

bool Refuse(const char* call, int error) {
  LastFailure() = {call, error};
  return false;
}

}  // namespace

#ifdef __FreeBSD__

bool OpenSession(const CipherInfo& info, const char* driver, const uint8_t* key, uint32_t* session) {
  struct session2_op op = {};
  op.cipher = static_cast<uint32_t>(NumberOf(info));
  op.keylen = info.key_length;
  op.key = key;
  op.crid = CRYPTO_FLAG_HARDWARE | CRYPTO_FLAG_SOFTWARE;
  op.ivlen = info.iv_length;
  op.maclen = info.tag_length;
  if (driver != nullptr) {
    struct crypt_find_op find = {};
    find.crid = -1;
    if (strlen(driver) >= sizeof find.name) return Refuse("CIOCFINDDEV", ENOENT);
    strcpy(find.name, driver);
    if (!Call("CIOCFINDDEV", CIOCFINDDEV, &find)) return false;
    op.crid = find.crid;
  }
  if (!Call("CIOCGSESSION2", CIOCGSESSION2, &op)) return false;
  *session = op.ses;
  return true;
}

Outcome Aead(const CipherInfo& info, uint32_t session, bool encrypt, const Record& r) {
  uint8_t tag[16];
  struct crypt_aead op = {};
  op.ses = session;
  op.op = encrypt ? COP_ENCRYPT : COP_DECRYPT;
  op.len = static_cast<u_int>(r.length);
  op.aadlen = static_cast<u_int>(r.aad_length);
  op.ivlen = info.iv_length;
  op.src = r.in;
  op.dst = r.out;
  op.aad = r.aad;
  op.iv = r.nonce;
  op.tag = encrypt ? r.tag : tag;
  if (!encrypt) memcpy(tag, r.sent_tag, info.tag_length);
  if (Call("CIOCCRYPTAEAD", CIOCCRYPTAEAD, &op)) return Outcome::kDone;
  return !encrypt && LastFailure().error == EBADMSG ? Outcome::kNotAuthentic : Outcome::kFailed;
}

#else

bool OpenSession(const CipherInfo& info, const char* driver, const uint8_t* key, uint32_t* session) {
  if (NumberOf(info) == 0 || driver != nullptr) return Refuse("CIOCGSESSION", ENOENT);
  struct session_op op = {};
  op.cipher = static_cast<uint32_t>(NumberOf(info));
  op.keylen = info.key_length;
  op.key = const_cast<char*>(reinterpret_cast<const char*>(key));
  if (!Call("CIOCGSESSION", CIOCGSESSION, &op)) return false;
  *session = op.ses;
  return true;
}

Outcome Aead(const CipherInfo&, uint32_t, bool, const Record&) {
  LastFailure() = {"CIOCCRYPT", EOPNOTSUPP};
  return Outcome::kFailed;
}

#endif

void CloseSession(uint32_t session) { Call("CIOCFSESSION", CIOCFSESSION, &session); }

std::string DriverOf(uint32_t) { return ""; }

Outcome Crypt(const CipherInfo&, uint32_t session, bool encrypt, const Record& r) {
  struct crypt_op op = {};
  op.ses = session;
  op.op = encrypt ? COP_ENCRYPT : COP_DECRYPT;
  op.len = static_cast<u_int>(r.length);
  op.src = reinterpret_cast<char*>(const_cast<uint8_t*>(r.in));
  op.dst = reinterpret_cast<char*>(r.out);
  op.iv = reinterpret_cast<char*>(const_cast<uint8_t*>(r.nonce));
  return Call("CIOCCRYPT", CIOCCRYPT, &op) ? Outcome::kDone : Outcome::kFailed;
}

}  // namespace so_crypt::cryptodev
#else

namespace so_crypt::cryptodev {

bool OpenSession(const CipherInfo&, const char*, const uint8_t*, uint32_t*) {
  LastFailure() = {"open", ENOENT};
  return false;
}
void CloseSession(uint32_t) {}
std::string DriverOf(uint32_t) { return ""; }
Outcome Aead(const CipherInfo&, uint32_t, bool, const Record&) { return Outcome::kFailed; }
Outcome Crypt(const CipherInfo&, uint32_t, bool, const Record&) { return Outcome::kFailed; }

}  // namespace so_crypt::cryptodev
#endif
#endif
