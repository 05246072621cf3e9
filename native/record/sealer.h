// SPDX-License-Identifier: MIT
// The write direction: plain bytes in, whole frames out, as many as a call brings.
#pragma once
#include "direction.h"

namespace so_crypt {

struct Chunk {
  const uint8_t* data;
  size_t length;
};

enum class SealStatus : int {
  kOk = 0,
  kLimit = -1,     // nothing more may be sealed under this key
  kProvider = -2,  // the cipher failed; LastFailure() may tell why
  kCapacity = -3,  // out is too small: a bug of the caller
  kTooLong = -4,   // SSH: no packet may be as long as the payload needs
};

class Sealer : public Direction {
 public:
  // split_first: the first frame of a call carries one byte only, so that the IV of the others is not known before their
  // plaintext (TLS 1.0, "BEAST"). pad_to: RFC 8446 5.4, 0 for none.
  Sealer(DirectionInit&& init, size_t max_fragment, size_t pad_to, bool split_first)
      : Direction(std::move(init)), max_fragment_(max_fragment), pad_to_(pad_to), split_first_(split_first) {}

  size_t max_fragment() const { return max_fragment_; }

  // False: no such frame fits the layout.
  bool SetMaxFragment(size_t size) {
    if (size == 0 || size > layout().max_payload) return false;
    max_fragment_ = size;
    return true;
  }

  // Most bytes that a frame is longer than its payload.
  size_t MaxOverhead() const;

  // Most bytes that Seal makes of so many.
  size_t Bound(size_t length) const { return length + (length / max_fragment_ + 2) * MaxOverhead(); }

  // Seals all bytes of the chunks as content of the given type; nothing makes one empty frame. Sets written, also on failure:
  // the frames before it are good. The sequence numbers of all that were begun are used up, good or not.
  SealStatus Seal(uint8_t type, const Chunk* chunks, size_t count, uint8_t* out, size_t capacity, size_t* written);

 private:
  class Source;
  struct Frame;
  SealStatus Begin(const uint8_t& type, Source& source, size_t length, uint8_t* out, Frame* frame, Record* record);
  void Encrypt(Record* records, size_t count);
  void Finish(const Frame& frame);
  SealStatus SealFrame(const uint8_t& type, Source& source, size_t length, uint8_t* out, size_t* written);
  SealStatus SealFrames(const uint8_t& type, Source& source, size_t* left, uint8_t* out, size_t* written);
  size_t InnerPadding(size_t inner) const;
  bool MakeExplicitIv(uint8_t* out);

  size_t max_fragment_;
  const size_t pad_to_;
  const bool split_first_;
  // IVs of the coming frames, for layouts that have random ones: one call of the generator for many.
  static constexpr size_t kRandom = 16 * kMaxIv;
  std::unique_ptr<uint8_t[]> random_;
  size_t random_used_ = kRandom;
};

}  // namespace so_crypt
