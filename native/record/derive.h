// SPDX-License-Identifier: MIT
// A direction of TLS 1.3 from its traffic secret (RFC 8446 7.3), with evp as its provider.
#pragma once
#include "../providers/provider.h"
#include "direction.h"

namespace so_crypt {

// Fills in all that follows from the secret; init->layout is there. False: there is no secret, or no such cipher.
inline bool DeriveDirection(const TrafficSecret& secret, const CipherInfo& cipher, bool encrypt, DirectionInit* init) {
  if (secret.empty()) return false;
  uint8_t key[kMaxKey];
  secret.Expand("key", key, cipher.key_length);
  secret.Expand("iv", init->iv, init->layout.fixed_iv);
  init->secret = secret;
  init->cipher = NewEvpCipher(cipher, key, encrypt);
  init->fingerprint = FingerprintOf(key, cipher.key_length, init->iv, init->layout.fixed_iv);
  OPENSSL_cleanse(key, sizeof key);
  return init->cipher != nullptr;
}

}  // namespace so_crypt
