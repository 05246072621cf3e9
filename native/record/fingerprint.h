// SPDX-License-Identifier: MIT
// Tells keys apart without keeping them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace so_crypt {

using Fingerprint = std::array<uint8_t, 16>;

Fingerprint FingerprintOf(const uint8_t* key, size_t key_length, const uint8_t* iv, size_t iv_length);

}  // namespace so_crypt
