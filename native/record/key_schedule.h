// SPDX-License-Identifier: MIT
// The part of TLS 1.3's key schedule that goes on after the handshake (RFC 8446 7.1 to 7.3).
#pragma once
#include <openssl/crypto.h>

#include <cstring>

#include "hmac.h"

namespace so_crypt {

// A traffic secret. It wipes itself.
class TrafficSecret {
 public:
  static constexpr size_t kMaxLength = 48;

  TrafficSecret() = default;
  TrafficSecret(const TrafficSecret&) = default;
  TrafficSecret& operator=(const TrafficSecret&) = default;
  ~TrafficSecret() { OPENSSL_cleanse(bytes_, sizeof bytes_); }

  // length: 32 (SHA-256) or 48 (SHA-384); anything else leaves it empty.
  void Set(const uint8_t* bytes, size_t length) {
    length_ = length == 32 || length == 48 ? length : 0;
    memcpy(bytes_, bytes, length_);
  }

  bool empty() const { return length_ == 0; }
  const uint8_t* data() const { return bytes_; }
  size_t length() const { return length_; }

  // HKDF-Expand-Label(secret, label, "", length); length at most that of the hash.
  void Expand(const char* label, uint8_t* out, size_t length) const {
    uint8_t info[64];
    const size_t label_length = strlen(label);
    size_t n = 0;
    info[n++] = 0;
    info[n++] = static_cast<uint8_t>(length);
    info[n++] = static_cast<uint8_t>(6 + label_length);
    memcpy(info + n, "tls13 ", 6);
    n += 6;
    memcpy(info + n, label, label_length);
    n += label_length;
    info[n++] = 0;  // no context
    const uint8_t counter = 1;
    uint8_t block[kMaxMacLength];
    NewHmac(length_ == 48 ? "hmac-sha384" : "hmac-sha256", bytes_, length_)->Compute(info, n, &counter, 1, block);
    memcpy(out, block, length);
    OPENSSL_cleanse(block, sizeof block);
  }

  // The secret after a KeyUpdate (RFC 8446 7.2).
  void Update() {
    uint8_t next[kMaxLength];
    Expand("traffic upd", next, length_);
    memcpy(bytes_, next, length_);
    OPENSSL_cleanse(next, sizeof next);
  }

 private:
  static constexpr size_t kMaxMacLength = 64;
  uint8_t bytes_[kMaxLength] = {};
  size_t length_ = 0;
};

}  // namespace so_crypt
