// SPDX-License-Identifier: MIT
// A frame layout as data: the record layer knows no protocol, only these offsets. The protocols' own layouts are tables in
// lib/frame-layouts.ts. All lengths are in bytes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace so_crypt {

constexpr size_t kMaxHeader = 32;
constexpr size_t kMaxKey = 32;
constexpr size_t kMaxIv = 16;
constexpr size_t kMaxMac = 64;
constexpr size_t kMaxAssociated = 8 + kMaxHeader;

enum class Nonce : uint8_t {
  kXorSequence,    // fixed IV XOR sequence number (RFC 8446 5.3, RFC 7905 2)
  kExplicitCounter,  // fixed IV, then a counter that the frame carries (RFC 5288 3, RFC 3686 4)
  kExplicitRandom,   // one random block that the frame carries (RFC 4346 6.2.3.2)
  kChained,          // the last ciphertext block of the frame before (RFC 2246 6.2.3.2)
};

enum class MacOrder : uint8_t { kAead, kMacThenEncrypt, kEncryptThenMac };

enum class Padding : uint8_t { kNone, kTls };

// What the length field says inside the associated data (the AAD of an AEAD cipher, or what the MAC covers before the data).
enum class AssociatedLength : uint8_t {
  kFrame,    // as on the wire (RFC 8446 5.2)
  kCovered,  // the number of bytes that follow it: plaintext of AEAD and MAC-then-encrypt, ciphertext of encrypt-then-MAC
};

struct FrameLayout {
  uint8_t header[kMaxHeader];  // template of the first bytes
  uint8_t header_length;
  int8_t type_offset;  // of the content type in the header, -1: frames have no type
  bool inner_type;     // the content type is the last byte of the plaintext, zeros may follow it (RFC 8446 5.2)

  uint8_t length_offset;  // of the big-endian length field
  uint8_t length_size;
  int32_t length_bias;  // bytes of the frame that the length field does not count

  uint32_t max_payload;  // largest plaintext that a peer may put into one frame
  uint32_t max_body;     // largest number of bytes after the header

  Nonce nonce;
  uint8_t fixed_iv;     // bytes of the IV that are given with the key
  uint8_t explicit_iv;  // bytes of it in the frame, after the header

  MacOrder order;
  uint8_t tag;  // bytes of MAC or AEAD tag in the frame
  Padding padding;

  uint8_t associated_sequence;  // bytes of the sequence number at the associated data's start: 0, 4 or 8
  uint8_t associated_start;     // range of the header that comes next
  uint8_t associated_end;
  AssociatedLength associated_length;
};

inline void PutBigEndian(uint8_t* out, uint64_t value, size_t size) {
  for (size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<uint8_t>(value);
}

inline uint64_t GetBigEndian(const uint8_t* in, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value = value << 8 | in[i];
  return value;
}

// Writes the associated data of a frame into out (kMaxAssociated bytes) and returns its length.
inline size_t BuildAssociated(const FrameLayout& layout, const uint8_t* header, uint64_t sequence, size_t covered, uint8_t* out) {
  uint8_t* p = out;
  PutBigEndian(p, sequence, layout.associated_sequence);
  p += layout.associated_sequence;
  for (size_t i = layout.associated_start; i < layout.associated_end; i++) *p++ = header[i];
  if (layout.associated_length == AssociatedLength::kCovered) {
    const size_t at = layout.associated_sequence + layout.length_offset - layout.associated_start;
    PutBigEndian(out + at, covered, layout.length_size);
  }
  return static_cast<size_t>(p - out);
}

}  // namespace so_crypt
