// SPDX-License-Identifier: MIT
// Numbers and byte strings one behind the other, as lib/handshake-workers/packing.ts reads them, in memory that wipes itself.
#pragma once
#include <openssl/crypto.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace so_crypt {

// Memory is wiped before it is given back, also when a vector grows.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T))); }
  void deallocate(T* p, size_t n) {
    OPENSSL_cleanse(p, n * sizeof(T));
    ::operator delete(p);
  }
  bool operator==(const WipingAllocator&) const { return true; }
  bool operator!=(const WipingAllocator&) const { return false; }
};

using SecretBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;

class ByteWriter {
 public:
  const SecretBytes& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void Reserve(size_t length) { bytes_.reserve(length); }
  void Swap(ByteWriter* other) { bytes_.swap(other->bytes_); }

  void U8(uint8_t value) { bytes_.push_back(value); }
  void U32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) U8(static_cast<uint8_t>(value >> shift));
  }
  // With a length of one byte; what is longer is cut.
  void Short(const void* data, size_t length) {
    if (length > 255) length = 255;
    U8(static_cast<uint8_t>(length));
    Raw(data, length);
  }
  void Text(const char* text) { Short(text == nullptr ? "" : text, text == nullptr ? 0 : strlen(text)); }
  // With a length of four bytes.
  void Long(const void* data, size_t length) {
    U32(static_cast<uint32_t>(length));
    Raw(data, length);
  }
  void Append(const ByteWriter& other) { Raw(other.bytes_.data(), other.bytes_.size()); }

 private:
  void Raw(const void* data, size_t length) {
    const uint8_t* const from = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), from, from + length);
  }

  SecretBytes bytes_;
};

}  // namespace so_crypt
