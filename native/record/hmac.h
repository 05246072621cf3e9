// SPDX-License-Identifier: MIT
// HMAC (RFC 2104) with the key's two blocks hashed once, and a digest whose time does not depend on a secret length, which
// opening MAC-then-encrypt CBC records needs (RFC 5246 6.2.3.2, "Lucky Thirteen"). EVP offers the compression functions
// nowhere, so this is on OpenSSL's low-level SHA calls, which use the CPU's SHA instructions as EVP does.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace so_crypt {

class Hmac {
 public:
  virtual ~Hmac() = default;
  virtual size_t length() const = 0;

  // HMAC(key, a || b) to out, length() bytes.
  virtual void Compute(const uint8_t* a, size_t a_length, const uint8_t* b, size_t b_length, uint8_t* out) const = 0;

  // The same with a secret b_length between b_max - 255 and b_max. Reads all b_max bytes of b.
  virtual void ComputeSecretLength(const uint8_t* a, size_t a_length, const uint8_t* b, size_t b_length, size_t b_max,
                                   uint8_t* out) const = 0;
};

// name: hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512. Null for any other.
std::unique_ptr<Hmac> NewHmac(const char* name, const uint8_t* key, size_t key_length);

}  // namespace so_crypt
