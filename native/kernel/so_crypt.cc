// SPDX-License-Identifier: MIT
#include "so_crypt.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "../../kernel-patch/linux/include/uapi/linux/so_crypt.h"

namespace so_crypt {
namespace {

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

struct Names {
  const char* ours;
  const char* kernels;
};

constexpr Names kCiphers[] = {
    {"aes-128-gcm", "gcm(aes)"},       {"aes-256-gcm", "gcm(aes)"},
    {"aes-128-ccm", "ccm(aes)"},       {"aes-256-ccm", "ccm(aes)"},
    {"aes-128-ccm8", "ccm(aes)"},      {"aes-256-ccm8", "ccm(aes)"},
    {"aes-128-cbc", "cbc(aes)"},       {"aes-192-cbc", "cbc(aes)"},
    {"aes-256-cbc", "cbc(aes)"},       {"aes-192-ctr", "ctr(aes)"},
    {"des-ede3-cbc", "cbc(des3_ede)"}, {"chacha20-poly1305", "rfc7539(chacha20,poly1305)"},
    {"aes-128-ctr", "ctr(aes)"},       {"aes-256-ctr", "ctr(aes)"},
    {"chacha20-poly1305@openssh.com", "chacha20-poly1305@openssh.com"},
};

constexpr Names kMacs[] = {{"hmac-sha1", "hmac(sha1)"}, {"hmac-sha256", "hmac(sha256)"}, {"hmac-sha384", "hmac(sha384)"},
                           {"hmac-sha512", "hmac(sha512)"}};

template <size_t N>
const char* KernelName(const Names (&names)[N], const char* ours) {
  for (const Names& name : names)
    if (strcmp(name.ours, ours) == 0) return name.kernels;
  return "";
}

bool IsExplicit12(const SoCryptSpec& spec) {
  return spec.protocol == SO_CRYPT_TLS_1_2 && spec.layout.nonce == Nonce::kExplicitCounter;
}

void SetLayout(const FrameLayout& from, so_crypt_layout* to) {
  memcpy(to->header, from.header, from.header_length);
  to->header_len = from.header_length;
  to->length_offset = from.length_offset;
  to->length_size = from.length_size;
  to->nonce = static_cast<uint8_t>(from.nonce);
  to->length_bias = static_cast<uint32_t>(from.length_bias);
  to->fixed_iv = from.fixed_iv;
  to->explicit_iv = from.explicit_iv;
  to->order = static_cast<uint8_t>(from.order);
  to->padding = static_cast<uint8_t>(from.padding);
  to->assoc_sequence = from.associated_sequence;
  to->assoc_start = from.associated_start;
  to->assoc_end = from.associated_end;
}

}  // namespace

int AttachSoCrypt(int fd) {
  if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, SO_CRYPT_ULP, sizeof SO_CRYPT_ULP - 1) == 0 || errno == EEXIST) return 0;
  return -errno;
}

SoCryptKeys::SoCryptKeys(const SoCryptSpec& spec, const uint8_t* key, size_t key_length, const uint8_t* iv, size_t iv_length,
                         const uint8_t* mac_key, size_t mac_key_length, const TrafficSecret& secret)
    : spec_(spec),
      key_length_(key_length),
      iv_length_(iv_length),
      mac_key_length_(mac_key_length),
      secret_(secret),
      used_{FingerprintOf(key, key_length, iv, iv_length)} {
  memcpy(key_, key, key_length);
  memcpy(iv_, iv, iv_length);
  memcpy(mac_key_, mac_key, mac_key_length);
}

SoCryptKeys::~SoCryptKeys() { Wipe(); }

void SoCryptKeys::Wipe() {
  OPENSSL_cleanse(key_, sizeof key_);
  OPENSSL_cleanse(iv_, sizeof iv_);
  OPENSSL_cleanse(mac_key_, sizeof mac_key_);
}

int SoCryptKeys::Arm(int fd, bool write, bool again) {
  so_crypt_info info = {};
  info.operation = again || armed_ ? SO_CRYPT_REKEY : SO_CRYPT_ARM;
  info.direction = write ? SO_CRYPT_WRITE : SO_CRYPT_READ;
  info.protocol = static_cast<uint8_t>(spec_.protocol);
  const bool custom = spec_.protocol == SO_CRYPT_CUSTOM;
  if (!custom && spec_.layout.order == MacOrder::kEncryptThenMac) info.flags = SO_CRYPT_ETM;
  info.max_payload = spec_.max_payload;
  info.tag_len = spec_.layout.tag;
  info.key_len = static_cast<uint8_t>(key_length_);
  info.mac_key_len = static_cast<uint8_t>(mac_key_length_);
  info.iv_len = static_cast<uint8_t>(iv_length_);
  info.sequence = spec_.sequence;
  info.limit = spec_.limit;
  const char* const cipher = *spec_.driver != 0 ? spec_.driver : KernelName(kCiphers, spec_.cipher);
  strncpy(info.cipher, cipher, sizeof info.cipher - 1);
  strncpy(info.mac, KernelName(kMacs, spec_.mac), sizeof info.mac - 1);
  memcpy(info.key, key_, key_length_);
  memcpy(info.mac_key, mac_key_, mac_key_length_);
  memcpy(info.iv, iv_, iv_length_);
  if (write && IsExplicit12(spec_)) {
    PutBigEndian(info.iv + iv_length_, spec_.explicit_nonce, 8);
    info.iv_len = static_cast<uint8_t>(iv_length_ + 8);
  }
  if (custom) SetLayout(spec_.layout, &info.layout);
  const int result = setsockopt(fd, SOL_SO_CRYPT, SO_CRYPT, &info, sizeof info);
  const int error = errno;
  OPENSSL_cleanse(&info, sizeof info);
  if (result != 0) return -error;
  armed_ = true;
  Wipe();
  return 0;
}

bool SoCryptKeys::Next() {
  if (secret_.empty()) return false;
  secret_.Update();
  secret_.Expand("key", key_, key_length_);
  secret_.Expand("iv", iv_, iv_length_);
  spec_.sequence = 0;
  used_.push_back(FingerprintOf(key_, key_length_, iv_, iv_length_));
  return true;
}

int SoCryptSequence(int fd, bool write, uint64_t* sequence) {
  so_crypt_status status;
  socklen_t length = sizeof status;
  if (getsockopt(fd, SOL_SO_CRYPT, SO_CRYPT, &status, &length) != 0) return -errno;
  *sequence = (write ? status.write : status.read).sequence;
  return 0;
}

}  // namespace so_crypt
