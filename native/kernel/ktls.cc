// SPDX-License-Identifier: MIT
#include "ktls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "../record/frame_layout.h"

namespace so_crypt {
namespace {

// Not from <linux/tls.h>: that of the machine which builds may be older than the kernel that runs.
constexpr int kSolTls = 282;
constexpr int kTlsTx = 1;
constexpr int kTlsRx = 2;
constexpr int kTlsRxExpectNoPad = 4;
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

constexpr size_t kInfoHeader = 4;  // struct tls_crypto_info
constexpr size_t kRecordSequence = 8;
constexpr size_t kMaxInfo = kInfoHeader + kKtlsMaxIv + kKtlsMaxKey + 4 + kRecordSequence;

constexpr KtlsCipher kCiphers[] = {
    {"aes-128-gcm", 51, 8, 16, 4}, {"aes-256-gcm", 52, 8, 32, 4},          {"aes-128-ccm", 53, 8, 16, 4},
    {"chacha20-poly1305", 54, 12, 32, 0}, {"aria-128-gcm", 57, 8, 16, 4}, {"aria-256-gcm", 58, 8, 32, 4},
};

size_t InfoLength(const KtlsCipher& c) { return kInfoHeader + c.iv + c.key + c.salt + kRecordSequence; }

}  // namespace

const KtlsCipher* FindKtlsCipher(const char* name) {
  for (const KtlsCipher& cipher : kCiphers)
    if (strcmp(cipher.name, name) == 0) return &cipher;
  return nullptr;
}

const KtlsCipher* FindKtlsCipherByType(uint16_t type) {
  for (const KtlsCipher& cipher : kCiphers)
    if (cipher.type == type) return &cipher;
  return nullptr;
}

int AttachKtls(int fd) {
  static const char name[] = "tls";
  if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof name) == 0 || errno == EEXIST) return 0;
  return -errno;
}

KtlsKeys::KtlsKeys(const KtlsCipher& cipher, TlsVersion version, const uint8_t* key, const uint8_t* iv, size_t iv_length,
                   uint64_t sequence, uint64_t explicit_nonce, const TrafficSecret& secret)
    : cipher_(cipher),
      version_(version),
      iv_length_(iv_length),
      sequence_(sequence),
      explicit_nonce_(explicit_nonce),
      secret_(secret),
      used_{FingerprintOf(key, cipher.key, iv, iv_length)} {
  memcpy(key_, key, cipher.key);
  memcpy(iv_, iv, iv_length);
}

void KtlsKeys::Wipe() {
  OPENSSL_cleanse(key_, sizeof key_);
  OPENSSL_cleanse(iv_, sizeof iv_);
}

int KtlsKeys::Arm(int fd, bool write) {
  uint8_t info[kMaxInfo];
  const uint16_t head[2] = {static_cast<uint16_t>(version_), cipher_.type};
  memcpy(info, head, kInfoHeader);
  uint8_t* const iv = info + kInfoHeader;
  uint8_t* const key = iv + cipher_.iv;
  uint8_t* const salt = key + cipher_.key;
  uint8_t* const sequence = salt + cipher_.salt;
  memcpy(salt, iv_, cipher_.salt);
  if (iv_length_ == cipher_.salt) {
    PutBigEndian(iv, explicit_nonce_, cipher_.iv);
  } else {
    memcpy(iv, iv_ + cipher_.salt, cipher_.iv);
  }
  memcpy(key, key_, cipher_.key);
  PutBigEndian(sequence, sequence_, kRecordSequence);
  const int result = setsockopt(fd, kSolTls, write ? kTlsTx : kTlsRx, info, static_cast<socklen_t>(InfoLength(cipher_)));
  const int error = errno;
  OPENSSL_cleanse(info, sizeof info);
  if (result != 0) return -error;
  Wipe();
  return 0;
}

int ExpectNoPadding(int fd) {
  const int on = 1;
  return setsockopt(fd, kSolTls, kTlsRxExpectNoPad, &on, sizeof on) == 0 ? 0 : -errno;
}

bool KtlsKeys::Next() {
  if (secret_.empty()) return false;
  secret_.Update();
  secret_.Expand("key", key_, cipher_.key);
  secret_.Expand("iv", iv_, iv_length_);
  sequence_ = 0;
  used_.push_back(FingerprintOf(key_, cipher_.key, iv_, iv_length_));
  return true;
}

int KtlsSequence(int fd, bool write, const KtlsCipher& cipher, uint64_t* sequence) {
  uint8_t info[kMaxInfo];
  const size_t expected = InfoLength(cipher);
  socklen_t length = static_cast<socklen_t>(expected);
  if (getsockopt(fd, kSolTls, write ? kTlsTx : kTlsRx, info, &length) != 0) return -errno;
  *sequence = GetBigEndian(info + expected - kRecordSequence, kRecordSequence);
  OPENSSL_cleanse(info, sizeof info);
  return 0;
}

}  // namespace so_crypt
