// SPDX-License-Identifier: MIT
// chacha20-poly1305@openssh.com (OpenSSH's PROTOCOL.chacha20poly1305) of EVP's ChaCha20 and Poly1305.
#pragma once
#include "provider.h"

namespace so_crypt {

// key: 64 bytes, K_2 (payload and tag) and then K_1 (length). Nonces are sequence numbers, 8 bytes. Both directions. Null: OpenSSL lacks
// one of the two.
std::unique_ptr<Cipher> NewSshChaCha(const CipherInfo& info, const uint8_t* key);

}  // namespace so_crypt
