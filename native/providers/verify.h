// SPDX-License-Identifier: MIT
// Whether the kernel does what a cipher should: its driver is named by the user, and one of another cipher would encrypt, too.
#pragma once
#include <algorithm>
#include <vector>

#include "provider.h"

namespace so_crypt {

// A record with a key that nobody uses.
struct Sample {
  static constexpr size_t kMost = 1 << 24;
  uint8_t key[32], nonce[16], aad[13];
  std::vector<uint8_t> text;

  explicit Sample(size_t length) : text(std::min(length, kMost)) {
    for (size_t i = 0; i < sizeof key; i++) key[i] = static_cast<uint8_t>(i * 7 + 1);
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = static_cast<uint8_t>(i * 13 + 2);
    for (size_t i = 0; i < sizeof aad; i++) aad[i] = static_cast<uint8_t>(i * 3 + 5);
    for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<uint8_t>(i * 11 + (i >> 8));
  }
};

// Seals and opens what OpenSSL seals, and a record that is not authentic, with ciphers that have the sample's key. False: LastFailure()
// tells why.
bool Verify(Cipher* sealer, Cipher* opener, const Sample& sample);

}  // namespace so_crypt
