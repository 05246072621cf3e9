// SPDX-License-Identifier: MIT
// Masks instead of branches, for values that must not show in the time taken: all ones for true, all zeros for false.
#pragma once
#include <cstddef>
#include <cstdint>

namespace so_crypt {

// Keeps the compiler from turning a mask back into a branch.
inline size_t Opaque(size_t value) {
#if defined(__GNUC__) || defined(__clang__)
  __asm__("" : "+r"(value));
  return value;
#else
  volatile size_t hidden = value;
  return hidden;
#endif
}

inline size_t MaskOfTopBit(size_t value) { return Opaque(0 - (value >> (sizeof(size_t) * 8 - 1))); }
inline size_t MaskLess(size_t a, size_t b) { return MaskOfTopBit(a ^ ((a ^ b) | ((a - b) ^ b))); }
inline size_t MaskGreaterEqual(size_t a, size_t b) { return ~MaskLess(a, b); }
inline size_t MaskZero(size_t a) { return MaskOfTopBit(~a & (a - 1)); }
inline size_t MaskEqual(size_t a, size_t b) { return MaskZero(a ^ b); }
inline size_t Select(size_t mask, size_t a, size_t b) { return (mask & a) | (~mask & b); }

}  // namespace so_crypt
