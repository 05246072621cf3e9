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

// A frame between Begin and Finish.
struct Sealer::Frame {
  uint8_t* start;
  uint8_t* explicit_iv;
  size_t encrypted;  // bytes
  size_t total;
  uint64_t sequence;
  uint8_t iv[kMaxIv];
  uint8_t associated[kMaxAssociated];
};

// Takes a sequence number and lays the frame out, up to what the cipher has to do.
SO_CRYPT_INLINE SealStatus Sealer::Begin(const uint8_t& type, Source& source, size_t length, uint8_t* out, Frame* frame, Record* record) {
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

  memcpy(out, layout_.header, layout_.header_length);
  if (layout_.type_offset >= 0 && !layout_.inner_type) out[layout_.type_offset] = type;
  frame->start = out;
  frame->explicit_iv = out + layout_.header_length;
  frame->encrypted = encrypted;
  frame->total = layout_.header_length + body;
  frame->sequence = sequence_;
  PutBigEndian(out + layout_.length_offset, frame->total - static_cast<size_t>(layout_.length_bias), layout_.length_size);
  uint8_t* const text = frame->explicit_iv + layout_.explicit_iv;
  if (!MakeExplicitIv(frame->explicit_iv)) return SealStatus::kProvider;
  BuildIv(frame->explicit_iv, sequence_, frame->iv);
  record->nonce = frame->iv;
  record->out = text;

  if (aead()) {
    record->aad = frame->associated;
    record->aad_length = BuildAssociated(layout_, out, sequence_, inner + zeros, frame->associated);
    record->tag = text + encrypted;
    // A long run of bytes is encrypted from where it lies; short or scattered ones are gathered first.
    const bool direct = length >= 512 && zeros == 0 && !(layout_.inner_type && cipher_->info().one_update);
    record->in = direct ? source.InPlace(length) : nullptr;
    record->length = length;
    record->tail = &type;
    record->tail_length = layout_.inner_type ? 1 : 0;
    if (record->in == nullptr) {
      source.Copy(text, length);
      if (layout_.inner_type) text[length] = type;
      memset(text + inner, 0, zeros);
      record->in = text;
      record->length = inner + zeros;
      record->tail_length = 0;
    }
  } else {
    source.Copy(text, length);
    if (layout_.order == MacOrder::kMacThenEncrypt) {
      uint8_t mac[kMaxMac];
      const size_t n = BuildAssociated(layout_, out, sequence_, length, frame->associated);
      hmac_->Compute(frame->associated, n, text, length, mac);
      memcpy(text + length, mac, layout_.tag);
    }
    if (padding > 0) memset(text + encrypted - padding, static_cast<int>(padding - 1), padding);
    record->in = text;
    record->length = encrypted;
  }
  explicit_counter_++;
  Advance();
  return SealStatus::kOk;
}

// What comes after encryption.
SO_CRYPT_INLINE void Sealer::Finish(const Frame& frame) {
  if (aead()) return;
  uint8_t* const end = frame.explicit_iv + layout_.explicit_iv + frame.encrypted;
  if (layout_.order == MacOrder::kEncryptThenMac) {
    uint8_t mac[kMaxMac], associated[kMaxAssociated];
    const size_t covered = layout_.explicit_iv + frame.encrypted;
    const size_t n = BuildAssociated(layout_, frame.start, frame.sequence, covered, associated);
    hmac_->Compute(associated, n, frame.explicit_iv, covered, mac);
    memcpy(end, mac, layout_.tag);
  }
  ChainIv(end);
}

SO_CRYPT_INLINE void Sealer::Encrypt(Record* records, size_t count) {
  if (aead()) {
    cipher_->SealAll(records, count);
  } else {
    cipher_->CryptAll(records, count);
  }
}

// One frame.
SealStatus Sealer::SealFrame(const uint8_t& type, Source& source, size_t length, uint8_t* out, size_t* written) {
  Frame frame;
  Record record;
  const SealStatus status = Begin(type, source, length, out, &frame, &record);
  if (status != SealStatus::kOk) return status;
  Encrypt(&record, 1);
  if (record.outcome != Outcome::kDone) return SealStatus::kProvider;
  Finish(frame);
  *written += frame.total;
  return SealStatus::kOk;
}

// Full frames and one with the rest, as many as the cipher does at once; left is what is not in them.
SealStatus Sealer::SealFrames(const uint8_t& type, Source& source, size_t* left, uint8_t* out, size_t* written) {
  const size_t most = depth();
  Frame frames[kMaxBatch];
  Record records[kMaxBatch];
  SealStatus status = SealStatus::kOk;
  size_t begun = 0;
  do {
    const size_t n = std::min(*left, max_fragment_);
    status = Begin(type, source, n, out, &frames[begun], &records[begun]);
    if (status != SealStatus::kOk) break;
    out += frames[begun++].total;
    *left -= n;
  } while (begun < most && *left > 0);
  Encrypt(records, begun);
  for (size_t i = 0; i < begun; i++) {
    if (records[i].outcome != Outcome::kDone) return SealStatus::kProvider;
    Finish(frames[i]);
    *written += frames[i].total;
  }
  return status;
}

SealStatus Sealer::Seal(uint8_t type, const Chunk* chunks, size_t count, uint8_t* out, size_t capacity, size_t* written) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) left += chunks[i].length;
  *written = 0;
  if (capacity < Bound(left)) return SealStatus::kCapacity;
  Source source(chunks, count);
  const bool several = depth() > 1;
  // Only application data is what an attacker could have chosen.
  bool split = split_first_ && left > 1 && layout_.type_offset >= 0 && type == layout_.header[layout_.type_offset];
  do {
    SealStatus status;
    if (several && !split) {
      status = SealFrames(type, source, &left, out + *written, written);
    } else {
      const size_t n = split ? 1 : std::min(left, max_fragment_);
      status = SealFrame(type, source, n, out + *written, written);
      left -= n;
      split = false;
    }
    if (status != SealStatus::kOk) return status;
  } while (left > 0);
  return SealStatus::kOk;
}

}  // namespace so_crypt
