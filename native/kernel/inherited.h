// SPDX-License-Identifier: MIT
// What the kernel carries on a socket that another process has armed.
#pragma once
#include <string>

namespace so_crypt {

struct Inherited {
  const char* engine;  // "ktls", "so_crypt", or null: bytes pass unchanged
  bool write, read;    // armed
  int protocol;        // ktls: the version (TlsVersion); so_crypt: enum so_crypt_protocol
  bool encrypt_then_mac;
  std::string cipher;  // ktls: as in lib/ciphers.ts; so_crypt: the kernel's name
  std::string mac;     // so_crypt: the kernel's name, "" with AEAD
};

// 0, or -errno: -EOPNOTSUPP for an upper layer protocol or a cipher that is none of ours.
int FindInherited(int fd, Inherited* found);

}  // namespace so_crypt
