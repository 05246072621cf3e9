// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fingerprint.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>

namespace so_crypt {

Fingerprint FingerprintOf(const uint8_t* key, size_t key_length, const uint8_t* iv, size_t iv_length) {
  SHA256_CTX context;
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_Init(&context);
  SHA256_Update(&context, key, key_length);
  SHA256_Update(&context, iv, iv_length);
  SHA256_Final(digest, &context);
  OPENSSL_cleanse(&context, sizeof context);
  Fingerprint fingerprint;
  memcpy(fingerprint.data(), digest, fingerprint.size());
  return fingerprint;
}

}  // namespace so_crypt
