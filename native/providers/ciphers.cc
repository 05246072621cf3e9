// SPDX-License-Identifier: MIT
#include <cstring>

#include "provider.h"

namespace so_crypt {

const CipherInfo* FindCipher(const char* name) {
  constexpr CipherMode kAead = CipherMode::kAead, kCbc = CipherMode::kCbc, kCtr = CipherMode::kCtr;
  static const CipherInfo ciphers[] = {
      // name, mode, key, iv, block, tag, one update
      {"aes-128-gcm", kAead, 16, 12, 1, 16, false},
      {"aes-256-gcm", kAead, 32, 12, 1, 16, false},
      {"aes-128-ccm", kAead, 16, 12, 1, 16, true},
      {"aes-256-ccm", kAead, 32, 12, 1, 16, true},
      {"aes-128-ccm8", kAead, 16, 12, 1, 8, true},
      {"aes-256-ccm8", kAead, 32, 12, 1, 8, true},
      {"chacha20-poly1305", kAead, 32, 12, 1, 16, false},
      {"aes-128-cbc", kCbc, 16, 16, 16, 0, false},
      {"aes-256-cbc", kCbc, 32, 16, 16, 0, false},
      {"des-ede3-cbc", kCbc, 24, 8, 8, 0, false},
      {"aes-128-ctr", kCtr, 16, 16, 1, 0, false},
      {"aes-256-ctr", kCtr, 32, 16, 1, 0, false},
  };
  for (const CipherInfo& info : ciphers)
    if (strcmp(info.name, name) == 0) return &info;
  return nullptr;
}

}  // namespace so_crypt
