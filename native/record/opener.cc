// SPDX-License-Identifier: MIT
#include "opener.h"

#include <algorithm>

#include "constant_time.h"

namespace so_crypt {

// Everything here is public (lengths and plain header bytes), and is checked before the frame's body has arrived.
OpenStatus Opener::CheckHeader(const uint8_t* header, size_t* total) const {
  for (size_t i = 0; i < layout_.header_length; i++) {
    if (static_cast<int>(i) == layout_.type_offset) {
      const bool known = layout_.inner_type ? header[i] == layout_.header[i] : header[i] >= 21 && header[i] <= 23;
      if (!known) return header[i] >= 20 && header[i] <= 24 ? OpenStatus::kBadType : OpenStatus::kNotAFrame;
    } else if (i - layout_.length_offset >= layout_.length_size && header[i] != layout_.header[i]) {
      return OpenStatus::kBadHeader;
    }
  }
  const int64_t value = static_cast<int64_t>(GetBigEndian(header + layout_.length_offset, layout_.length_size));
  const int64_t body = value + layout_.length_bias - layout_.header_length;
  if (body > static_cast<int64_t>(layout_.max_body)) return OpenStatus::kOverflow;
  if (body < layout_.explicit_iv + layout_.tag + (layout_.inner_type ? 1 : 0)) return OpenStatus::kBadLength;
  *total = layout_.header_length + static_cast<size_t>(body);
  return OpenStatus::kNeedMore;
}

OpenStatus Opener::OpenAead(const uint8_t* frame, size_t total, uint8_t* out, size_t* payload) {
  const uint8_t* const explicit_iv = frame + layout_.header_length;
  const uint8_t* const text = explicit_iv + layout_.explicit_iv;
  const uint8_t* const tag = frame + total - layout_.tag;
  const size_t length = static_cast<size_t>(tag - text);
  uint8_t iv[kMaxIv], associated[kMaxAssociated];
  BuildIv(explicit_iv, iv);
  const size_t n = BuildAssociated(layout_, frame, sequence_, length, associated);
  if (!cipher_->Open(iv, associated, n, text, length, tag, out)) {
    OPENSSL_cleanse(out, length);
    return OpenStatus::kBadMac;
  }
  *payload = length;
  return OpenStatus::kNeedMore;
}

OpenStatus Opener::OpenEncryptThenMac(const uint8_t* frame, size_t total, uint8_t* out, size_t* payload) {
  const uint8_t* const explicit_iv = frame + layout_.header_length;
  const uint8_t* const text = explicit_iv + layout_.explicit_iv;
  const uint8_t* const tag = frame + total - layout_.tag;
  const size_t length = static_cast<size_t>(tag - text);
  if (length % block() != 0 || (layout_.padding == Padding::kTls && length == 0)) return OpenStatus::kBadLength;
  uint8_t iv[kMaxIv], associated[kMaxAssociated], mac[kMaxMac];
  const size_t covered = static_cast<size_t>(tag - explicit_iv);
  const size_t n = BuildAssociated(layout_, frame, sequence_, covered, associated);
  hmac_->Compute(associated, n, explicit_iv, covered, mac);
  if (CRYPTO_memcmp(mac, tag, layout_.tag) != 0) return OpenStatus::kBadMac;
  BuildIv(explicit_iv, iv);
  if (length > 0 && !cipher_->Crypt(iv, text, length, out)) return OpenStatus::kBadMac;
  ChainIv(tag);
  *payload = length;
  if (layout_.padding == Padding::kTls) {
    // The padding is authenticated: no secret to guard, only the peer's mistakes.
    const size_t padding = out[length - 1];
    if (padding >= length) return OpenStatus::kBadMac;
    for (size_t i = 0; i <= padding; i++)
      if (out[length - 1 - i] != padding) return OpenStatus::kBadMac;
    *payload = length - 1 - padding;
  }
  return OpenStatus::kNeedMore;
}

// RFC 5246 6.2.3.2: the same work whether padding or MAC is bad, and whatever the padding's length is.
OpenStatus Opener::OpenMacThenEncrypt(const uint8_t* frame, size_t total, uint8_t* out, size_t* payload) {
  const uint8_t* const explicit_iv = frame + layout_.header_length;
  const uint8_t* const text = explicit_iv + layout_.explicit_iv;
  const size_t length = total - layout_.header_length - layout_.explicit_iv;
  const size_t tag = layout_.tag;
  const bool padded = layout_.padding == Padding::kTls;
  if (length % block() != 0 || length < tag + (padded ? 1 : 0)) return OpenStatus::kBadLength;

  uint8_t iv[kMaxIv], associated[kMaxAssociated], mac[kMaxMac], sent[kMaxMac] = {};
  BuildIv(explicit_iv, iv);
  if (!cipher_->Crypt(iv, text, length, out)) return OpenStatus::kBadMac;
  ChainIv(text + length);

  size_t good = ~size_t{0};
  size_t data = length - tag;  // with padding: secret from here on
  if (padded) {
    size_t padding = out[length - 1];
    good &= MaskGreaterEqual(length, padding + 1 + tag);
    const size_t window = std::min<size_t>(256, length);
    for (size_t i = 0; i < window; i++) {
      const size_t is_padding = MaskGreaterEqual(padding, i);
      good &= ~is_padding | MaskEqual(out[length - 1 - i], padding);
    }
    padding &= good;
    data = length - tag - 1 - padding;
  }
  const size_t data_max = length - tag - (padded ? 1 : 0);
  const size_t n = BuildAssociated(layout_, frame, sequence_, data, associated);
  if (padded) {
    hmac_->ComputeSecretLength(associated, n, out, data, data_max, mac);
  } else {
    hmac_->Compute(associated, n, out, data, mac);
  }

  // The MAC that was sent lies at a secret place: look at all it could be.
  for (size_t at = data_max > 255 && padded ? data_max - 255 : 0; at <= data_max; at++) {
    const uint8_t here = static_cast<uint8_t>(MaskEqual(at, data));
    for (size_t i = 0; i < tag; i++) sent[i] |= out[at + i] & here;
  }
  good &= MaskZero(static_cast<size_t>(CRYPTO_memcmp(mac, sent, tag)));
  OPENSSL_cleanse(mac, sizeof mac);
  if (!good) {
    OPENSSL_cleanse(out, length);
    return OpenStatus::kBadMac;
  }
  *payload = data;
  return OpenStatus::kNeedMore;
}

OpenStatus Opener::OpenFrame(const uint8_t* frame, size_t total, uint8_t* out, size_t* payload, uint8_t* type) {
  if (!MayGoOn()) return OpenStatus::kLimit;
  OpenStatus status;
  switch (layout_.order) {
    case MacOrder::kAead:
      status = OpenAead(frame, total, out, payload);
      break;
    case MacOrder::kMacThenEncrypt:
      status = OpenMacThenEncrypt(frame, total, out, payload);
      break;
    default:
      status = OpenEncryptThenMac(frame, total, out, payload);
  }
  if (status != OpenStatus::kNeedMore) return status;
  *type = layout_.type_offset >= 0 ? frame[layout_.type_offset] : application_type_;
  if (layout_.inner_type) {
    size_t n = *payload;
    if (n > size_t{layout_.max_payload} + 1) return OpenStatus::kOverflow;
    while (n > 0 && out[n - 1] == 0) n--;
    if (n == 0) return OpenStatus::kNoType;
    *type = out[n - 1];
    *payload = n - 1;
  }
  if (*payload > layout_.max_payload) return OpenStatus::kOverflow;
  Advance();
  return OpenStatus::kNeedMore;
}

void Opener::Stash(const uint8_t* data, size_t length, size_t room) {
  if (room > stash_room_) {
    std::unique_ptr<uint8_t[]> larger(new uint8_t[room]);
    if (stashed_ > 0) memcpy(larger.get(), stash_.get(), stashed_);
    stash_ = std::move(larger);
    stash_room_ = room;
  }
  if (length > 0) memcpy(stash_.get() + stashed_, data, length);
  stashed_ += length;
}

size_t Opener::missing() const {
  if (stashed_ == 0) return 0;
  size_t total = layout_.header_length;
  if (stashed_ < total) return total - stashed_;
  return CheckHeader(stash_.get(), &total) == OpenStatus::kNeedMore ? total - stashed_ : 0;
}

OpenResult Opener::Open(const uint8_t* in, size_t length, uint8_t* out, size_t capacity) {
  OpenResult result = {OpenStatus::kNeedMore, 0, 0, 0, 0};
  for (;;) {
    // The next frame: in the input, or begun in the stash and completed from the input.
    const bool in_stash = stashed_ > 0;
    const uint8_t* frame = in_stash ? stash_.get() : in + result.consumed;
    size_t have = in_stash ? stashed_ : length - result.consumed;
    if (in_stash && have < layout_.header_length) {
      const size_t n = std::min(layout_.header_length - have, length - result.consumed);
      Stash(in + result.consumed, n, kMaxHeader);
      result.consumed += n;
      frame = stash_.get();
      have = stashed_;
    }
    size_t total = layout_.header_length;
    if (have >= layout_.header_length) {
      result.status = CheckHeader(frame, &total);
      if (result.status != OpenStatus::kNeedMore) return result;
      if (in_stash) {
        const size_t n = std::min(total - have, length - result.consumed);
        Stash(in + result.consumed, n, total);
        result.consumed += n;
        frame = stash_.get();
        have = stashed_;
      }
    }
    if (have < total || have < layout_.header_length) {
      if (!in_stash && have > 0) {
        Stash(frame, have, std::max(total, kMaxHeader));
        result.consumed += have;
      }
      break;
    }
    if (capacity - result.produced < total - layout_.header_length) {
      result.status = OpenStatus::kCapacity;
      return result;
    }
    size_t payload = 0;
    uint8_t type = 0;
    result.status = OpenFrame(frame, total, out + result.produced, &payload, &type);
    if (result.status != OpenStatus::kNeedMore) return result;
    if (in_stash) {
      stashed_ = 0;
    } else {
      result.consumed += total;
    }
    if (type != application_type_) {
      result.status = OpenStatus::kControl;
      result.type = type;
      result.control_length = payload;
      return result;
    }
    result.produced += payload;
  }
  // An idle connection keeps nothing.
  if (stashed_ == 0 && stash_room_ > 0) {
    stash_.reset();
    stash_room_ = 0;
  }
  return result;
}

}  // namespace so_crypt
