// SPDX-License-Identifier: MIT
#include "sealer.h"

#include <openssl/rand.h>

#include <algorithm>

namespace so_crypt {

// A payload's chunks as one run of bytes.
class Sealer::Source {
 public:
  Source(const Chunk* chunks, size_t count) : chunk_(chunks), end_(chunks + count) {}

  // The next `length` bytes where they lie, or null when they lie in several chunks.
  const uint8_t* InPlace(size_t length) {
    while (chunk_ != end_ && chunk_->length == offset_) Next();
    if (chunk_ == end_ || chunk_->length - offset_ < length) return nullptr;
    const uint8_t* at = chunk_->data + offset_;
    offset_ += length;
    return at;
  }

  void Copy(uint8_t* out, size_t length) {
    while (length > 0) {
      const size_t n = std::min(length, chunk_->length - offset_);
      if (n > 0) memcpy(out, chunk_->data + offset_, n);
      out += n;
      length -= n;
      offset_ += n;
      if (offset_ == chunk_->length) Next();
    }
  }

 private:
  void Next() {
    chunk_++;
    offset_ = 0;
  }
  const Chunk* chunk_;
  const Chunk* const end_;
  size_t offset_ = 0;
};

size_t Sealer::MaxOverhead() const {
  return layout_.header_length + layout_.explicit_iv + (layout_.inner_type ? 1 : 0) + pad_to_ +
         (layout_.padding == Padding::kTls ? block() : 0) + layout_.tag;
}

size_t Sealer::InnerPadding(size_t inner) const {
  if (pad_to_ == 0) return 0;
  const size_t padded = (inner + pad_to_ - 1) / pad_to_ * pad_to_;
  return std::min(padded, max_fragment_ + 1) - inner;  // RFC 8446 5.4: the limit of the plaintext includes the padding
}

bool Sealer::MakeExplicitIv(uint8_t* out) {
  if (layout_.nonce == Nonce::kExplicitCounter) {
    PutBigEndian(out, explicit_counter_, layout_.explicit_iv);
    return true;
  }
  if (layout_.nonce != Nonce::kExplicitRandom) return true;
  if (random_ == nullptr) random_.reset(new uint8_t[kRandom]);
  if (random_used_ + layout_.explicit_iv > kRandom) {
    if (RAND_bytes(random_.get(), kRandom) != 1) return false;
    random_used_ = 0;
  }
  memcpy(out, random_.get() + random_used_, layout_.explicit_iv);
  random_used_ += layout_.explicit_iv;
  return true;
}

SealStatus Sealer::SealFrame(uint8_t type, Source& source, size_t length, uint8_t* out, size_t* written) {
  if (!MayGoOn()) return SealStatus::kLimit;
  const size_t inner = length + (layout_.inner_type ? 1 : 0);
  const size_t zeros = layout_.inner_type ? InnerPadding(inner) : 0;

  // What is encrypted, and how long the frame gets.
  size_t encrypted = inner + zeros;
  if (layout_.order == MacOrder::kMacThenEncrypt) encrypted += layout_.tag;
  size_t padding = 0;
  if (layout_.padding == Padding::kTls) padding = block() - encrypted % block();
  encrypted += padding;
  const size_t body = layout_.explicit_iv + encrypted + (layout_.order == MacOrder::kMacThenEncrypt ? 0 : layout_.tag);
  const size_t total = layout_.header_length + body;

  memcpy(out, layout_.header, layout_.header_length);
  if (layout_.type_offset >= 0 && !layout_.inner_type) out[layout_.type_offset] = type;
  PutBigEndian(out + layout_.length_offset, total - static_cast<size_t>(layout_.length_bias), layout_.length_size);
  uint8_t* const explicit_iv = out + layout_.header_length;
  uint8_t* const text = explicit_iv + layout_.explicit_iv;
  if (!MakeExplicitIv(explicit_iv)) return SealStatus::kProvider;
  uint8_t iv[kMaxIv];
  BuildIv(explicit_iv, iv);
  uint8_t associated[kMaxAssociated];

  if (aead()) {
    const size_t n = BuildAssociated(layout_, out, sequence_, inner + zeros, associated);
    // A long run of bytes is encrypted from where it lies; short or scattered ones are gathered first.
    const bool direct = length >= 512 && zeros == 0 && !(layout_.inner_type && cipher_->info().one_update);
    const uint8_t* in = direct ? source.InPlace(length) : nullptr;
    size_t in_length = length, tail = layout_.inner_type ? 1 : 0;
    if (in == nullptr) {
      source.Copy(text, length);
      if (layout_.inner_type) text[length] = type;
      memset(text + inner, 0, zeros);
      in = text;
      in_length = inner + zeros;
      tail = 0;
    }
    if (!cipher_->Seal(iv, associated, n, in, in_length, &type, tail, text, text + encrypted)) return SealStatus::kProvider;
  } else {
    source.Copy(text, length);
    uint8_t mac[kMaxMac];
    const bool mac_first = layout_.order == MacOrder::kMacThenEncrypt;
    if (mac_first) {
      const size_t n = BuildAssociated(layout_, out, sequence_, length, associated);
      hmac_->Compute(associated, n, text, length, mac);
      memcpy(text + length, mac, layout_.tag);
    }
    if (padding > 0) memset(text + encrypted - padding, static_cast<int>(padding - 1), padding);
    if (!cipher_->Crypt(iv, text, encrypted, text)) return SealStatus::kProvider;
    if (!mac_first) {
      const size_t covered = layout_.explicit_iv + encrypted;
      const size_t n = BuildAssociated(layout_, out, sequence_, covered, associated);
      hmac_->Compute(associated, n, explicit_iv, covered, mac);
      memcpy(text + encrypted, mac, layout_.tag);
    }
    ChainIv(text + encrypted);
  }
  explicit_counter_++;
  Advance();
  *written += total;
  return SealStatus::kOk;
}

SealStatus Sealer::Seal(uint8_t type, const Chunk* chunks, size_t count, uint8_t* out, size_t capacity, size_t* written) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) left += chunks[i].length;
  *written = 0;
  if (capacity < Bound(left)) return SealStatus::kCapacity;
  Source source(chunks, count);
  // Only application data is what an attacker could have chosen.
  bool split = split_first_ && left > 1 && layout_.type_offset >= 0 && type == layout_.header[layout_.type_offset];
  do {
    const size_t n = split ? 1 : std::min(left, max_fragment_);
    const SealStatus status = SealFrame(type, source, n, out + *written, written);
    if (status != SealStatus::kOk) return status;
    left -= n;
    split = false;
  } while (left > 0);
  return SealStatus::kOk;
}

}  // namespace so_crypt
