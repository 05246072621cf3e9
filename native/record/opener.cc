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

// A frame between Begin and Finish.
struct Opener::Frame {
  const uint8_t* start;
  size_t total;
  uint64_t sequence;
  uint8_t iv[kMaxIv];
  uint8_t associated[kMaxAssociated];
};

// Everything before the cipher. ahead: how many frames there are between the last one that is done with and this one.
SO_CRYPT_INLINE OpenStatus Opener::Begin(const uint8_t* start, size_t total, size_t ahead, uint8_t* out, Frame* frame, Record* record) const {
  if (!MayGoOn(ahead)) return OpenStatus::kLimit;
  frame->start = start;
  frame->total = total;
  frame->sequence = sequence_ + ahead;
  const uint8_t* const explicit_iv = start + layout_.header_length;
  const uint8_t* const text = explicit_iv + layout_.explicit_iv;
  const uint8_t* const tag = start + total - layout_.tag;
  const bool mac_inside = layout_.order == MacOrder::kMacThenEncrypt;
  const size_t length = static_cast<size_t>((mac_inside ? start + total : tag) - text);
  if (!aead()) {
    const bool padded = layout_.padding == Padding::kTls;
    const size_t least = (mac_inside ? layout_.tag : 0) + (padded ? 1 : 0);
    if (length % block() != 0 || length < least) return OpenStatus::kBadLength;
  }
  BuildIv(explicit_iv, frame->sequence, frame->iv);
  record->nonce = frame->iv;
  record->in = text;
  record->length = length;
  record->out = out;
  if (aead()) {
    record->aad = frame->associated;
    record->aad_length = BuildAssociated(layout_, start, frame->sequence, length, frame->associated);
    record->sent_tag = tag;
  } else if (!mac_inside) {
    uint8_t mac[kMaxMac];
    const size_t covered = static_cast<size_t>(tag - explicit_iv);
    const size_t n = BuildAssociated(layout_, start, frame->sequence, covered, frame->associated);
    hmac_->Compute(frame->associated, n, explicit_iv, covered, mac);
    if (CRYPTO_memcmp(mac, tag, layout_.tag) != 0) return OpenStatus::kBadMac;
  }
  return OpenStatus::kNeedMore;
}

// The padding is authenticated: no secret to guard, only the peer's mistakes.
OpenStatus Opener::FinishEncryptThenMac(const uint8_t* out, size_t length, size_t* payload) const {
  *payload = length;
  if (layout_.padding != Padding::kTls) return OpenStatus::kNeedMore;
  const size_t padding = out[length - 1];
  if (padding >= length) return OpenStatus::kBadMac;
  for (size_t i = 0; i <= padding; i++)
    if (out[length - 1 - i] != padding) return OpenStatus::kBadMac;
  *payload = length - 1 - padding;
  return OpenStatus::kNeedMore;
}

// RFC 5246 6.2.3.2: the same work whether padding or MAC is bad, and whatever the padding's length is.
OpenStatus Opener::FinishMacThenEncrypt(const Frame& frame, uint8_t* out, size_t length, size_t* payload) const {
  const size_t tag = layout_.tag;
  const bool padded = layout_.padding == Padding::kTls;
  uint8_t associated[kMaxAssociated], mac[kMaxMac], sent[kMaxMac] = {};
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
  const size_t n = BuildAssociated(layout_, frame.start, frame.sequence, data, associated);
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
  if (!good) return OpenStatus::kBadMac;
  *payload = data;
  return OpenStatus::kNeedMore;
}

// Everything behind the cipher.
SO_CRYPT_INLINE OpenStatus Opener::Finish(const Frame& frame, const Record& record, size_t* payload, uint8_t* type) {
  if (record.outcome == Outcome::kFailed) return OpenStatus::kProvider;
  if (record.outcome == Outcome::kNotAuthentic) return OpenStatus::kBadMac;
  uint8_t* const out = record.out;
  OpenStatus status = OpenStatus::kNeedMore;
  if (aead()) {
    *payload = record.length;
  } else if (layout_.order == MacOrder::kMacThenEncrypt) {
    status = FinishMacThenEncrypt(frame, out, record.length, payload);
  } else {
    status = FinishEncryptThenMac(out, record.length, payload);
  }
  if (status != OpenStatus::kNeedMore) return status;
  if (!aead()) ChainIv(record.in + record.length);
  *type = layout_.type_offset >= 0 ? frame.start[layout_.type_offset] : application_type_;
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

// The next frame: in the input behind *taken, or begun in the stash and completed from the input. *start is null, and what there
// is of it in the stash, when it is not whole.
OpenStatus Opener::NextFrame(const uint8_t* in, size_t length, size_t* taken, const uint8_t** start, size_t* total) {
  const bool in_stash = stashed_ > 0;
  *start = in_stash ? stash_.get() : in + *taken;
  size_t have = in_stash ? stashed_ : length - *taken;
  if (in_stash && have < layout_.header_length) {
    const size_t n = std::min(layout_.header_length - have, length - *taken);
    Stash(in + *taken, n, kMaxHeader);
    *taken += n;
    *start = stash_.get();
    have = stashed_;
  }
  *total = layout_.header_length;
  if (have >= layout_.header_length) {
    const OpenStatus status = CheckHeader(*start, total);
    if (status != OpenStatus::kNeedMore) return status;
    if (in_stash) {
      const size_t n = std::min(*total - have, length - *taken);
      Stash(in + *taken, n, *total);
      *taken += n;
      *start = stash_.get();
      have = stashed_;
    }
  }
  if (have < *total || have < layout_.header_length) {
    if (!in_stash && have > 0) {
      Stash(*start, have, std::max(*total, kMaxHeader));
      *taken += have;
    }
    *start = nullptr;
  }
  return OpenStatus::kNeedMore;
}

// One frame, of which nothing is left in out when it can't be opened.
OpenStatus Opener::OpenFrame(const uint8_t* start, size_t total, uint8_t* out, size_t* payload, uint8_t* type) {
  Frame frame;
  Record record;
  OpenStatus status = Begin(start, total, 0, out, &frame, &record);
  if (status != OpenStatus::kNeedMore) return status;
  if (aead()) {
    cipher_->OpenAll(&record, 1);
  } else {
    cipher_->CryptAll(&record, 1);
  }
  status = Finish(frame, record, payload, type);
  if (status != OpenStatus::kNeedMore) OPENSSL_cleanse(record.out, record.length);
  return status;
}

// The frame at start and the whole frames behind it, up to the first that is no application data, each with room of its own: how
// much of it is payload is not known yet. The result's status: kNeedMore, kControl, or what is wrong with the first that can't be
// opened.
void Opener::OpenFrames(const uint8_t* start, size_t total, const uint8_t* in, size_t length, uint8_t* out, size_t capacity,
                        OpenResult* result) {
  const size_t most = depth();
  Frame frames[kMaxBatch];
  Record records[kMaxBatch];
  result->status = Begin(start, total, 0, out + result->produced, &frames[0], &records[0]);
  if (result->status != OpenStatus::kNeedMore) return;
  size_t begun = 1;
  size_t room = result->produced + total - layout_.header_length;
  for (size_t at = result->consumed + (stashed_ > 0 ? 0 : total); begun < most; at += total, begun++) {
    // What is wrong with one shows when it is the next.
    const size_t have = length - at;
    if (have < layout_.header_length || CheckHeader(in + at, &total) != OpenStatus::kNeedMore || have < total) break;
    if (capacity - room < total - layout_.header_length) break;
    if (Begin(in + at, total, begun, out + room, &frames[begun], &records[begun]) != OpenStatus::kNeedMore) break;
    room += total - layout_.header_length;
  }
  if (aead()) {
    cipher_->OpenAll(records, begun);
  } else {
    cipher_->CryptAll(records, begun);
  }
  for (size_t i = 0; i < begun; i++) {
    size_t payload = 0;
    uint8_t type = 0;
    result->status = Finish(frames[i], records[i], &payload, &type);
    bool go_on = false;
    if (result->status == OpenStatus::kNeedMore) {
      if (records[i].out != out + result->produced) memmove(out + result->produced, records[i].out, payload);
      go_on = Take(frames[i].total, payload, type, result);
    } else {
      OPENSSL_cleanse(records[i].out, records[i].length);
    }
    if (go_on) continue;
    // Those behind it will be opened again, maybe with another key, or never.
    for (size_t k = i + 1; k < begun; k++) OPENSSL_cleanse(records[k].out, records[k].length);
    return;
  }
}

// Counts a frame that has been opened. False: it is no application data.
bool Opener::Take(size_t total, size_t payload, uint8_t type, OpenResult* result) {
  if (stashed_ > 0) {
    stashed_ = 0;
  } else {
    result->consumed += total;
  }
  if (type == application_type_) {
    result->produced += payload;
    return true;
  }
  result->status = OpenStatus::kControl;
  result->type = type;
  result->control_length = payload;
  return false;
}

OpenResult Opener::Open(const uint8_t* in, size_t length, uint8_t* out, size_t capacity) {
  OpenResult result = {OpenStatus::kNeedMore, 0, 0, 0, 0};
  const bool several = depth() > 1;
  for (;;) {
    const uint8_t* start;
    size_t total;
    result.status = NextFrame(in, length, &result.consumed, &start, &total);
    if (result.status != OpenStatus::kNeedMore) return result;
    if (start == nullptr) break;
    if (capacity - result.produced < total - layout_.header_length) {
      result.status = OpenStatus::kCapacity;
      return result;
    }
    if (several) {
      OpenFrames(start, total, in, length, out, capacity, &result);
    } else {
      size_t payload = 0;
      uint8_t type = 0;
      result.status = OpenFrame(start, total, out + result.produced, &payload, &type);
      if (result.status == OpenStatus::kNeedMore) Take(total, payload, type, &result);
    }
    if (result.status != OpenStatus::kNeedMore) return result;
  }
  // An idle connection keeps nothing.
  if (stashed_ == 0 && stash_room_ > 0) {
    stash_.reset();
    stash_room_ = 0;
  }
  return result;
}

}  // namespace so_crypt
