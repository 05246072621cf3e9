// SPDX-License-Identifier: MIT
#include <cstring>

#include "provider.h"

namespace so_crypt {

const CipherInfo* FindCipher(const char* name) {
  constexpr CipherMode kAead = CipherMode::kAead, kCbc = CipherMode::kCbc, kCtr = CipherMode::kCtr;
  static const CipherInfo ciphers[] = {
      // name, mode, key, iv, block, tag, one update, nonce is sequence
      {"aes-128-gcm", kAead, 16, 12, 1, 16, false, false},
      {"aes-256-gcm", kAead, 32, 12, 1, 16, false, false},
      {"aes-128-ccm", kAead, 16, 12, 1, 16, true, false},
      {"aes-256-ccm", kAead, 32, 12, 1, 16, true, false},
      {"aes-128-ccm8", kAead, 16, 12, 1, 8, true, false},
      {"aes-256-ccm8", kAead, 32, 12, 1, 8, true, false},
      {"chacha20-poly1305", kAead, 32, 12, 1, 16, false, false},
      {"aes-128-cbc", kCbc, 16, 16, 16, 0, false, false},
      {"aes-192-cbc", kCbc, 24, 16, 16, 0, false, false},
      {"aes-256-cbc", kCbc, 32, 16, 16, 0, false, false},
      {"des-ede3-cbc", kCbc, 24, 8, 8, 0, false, false},
      {"aes-128-ctr", kCtr, 16, 16, 1, 0, false, false},
      {"aes-192-ctr", kCtr, 24, 16, 1, 0, false, false},
      {"aes-256-ctr", kCtr, 32, 16, 1, 0, false, false},
      {"chacha20-poly1305@openssh.com", kAead, 64, 8, 1, 16, false, true},
  };
  for (const CipherInfo& info : ciphers)
    if (strcmp(info.name, name) == 0) return &info;
  return nullptr;
}

}  // namespace so_crypt
