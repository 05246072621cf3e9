// SPDX-License-Identifier: MIT
#include "ssh_opener.h"

namespace so_crypt {

// The packet's length with its MAC, from its first head() bytes. Nothing of them is authentic yet.
SshOpenStatus SshOpener::ReadLength(const uint8_t* start, size_t* total) const {
  uint8_t plain[kMaxIv], nonce[kMaxIv];
  const uint8_t* field = start;
  if (hidden_length()) {
    BuildNonce(nonce);
    const bool done = order_ == SshOrder::kAead ? cipher_->CryptLength(nonce, start, plain)
                                                : (peek_ != nullptr ? peek_ : cipher_)->Crypt(nonce, start, block(), plain);
    if (!done) return SshOpenStatus::kProvider;
    field = plain;
  }
  const size_t length = GetBigEndian(field, kSshLengthField);
  if (length > kSshMaxPacket) return SshOpenStatus::kTooLong;
  const size_t aligned = length + (order_ == SshOrder::kEncryptAndMac ? kSshLengthField : 0);
  if (length < 1 + kSshMinPadding || aligned % block() != 0) return SshOpenStatus::kBadLength;
  *total = kSshLengthField + length + tag();
  return SshOpenStatus::kNeedMore;
}

void SshOpener::Stash(const uint8_t* data, size_t length, size_t room) {
  if (room > stash_room_) {
    std::unique_ptr<uint8_t[]> larger(new uint8_t[room]);
    if (stashed_ > 0) memcpy(larger.get(), stash_.get(), stashed_);
    stash_ = std::move(larger);
    stash_room_ = room;
  }
  memcpy(stash_.get() + stashed_, data, length);
  stashed_ += length;
}

// The next packet, of total_ bytes: in the input behind *taken, or begun in the stash and completed from the input. *start is null, and
// what there is of it in the stash, when it is not whole.
SshOpenStatus SshOpener::NextPacket(const uint8_t* in, size_t length, size_t* taken, const uint8_t** start) {
  *start = nullptr;
  const auto stash_up_to = [&](size_t end) {
    const size_t n = std::min(end - stashed_, length - *taken);
    if (n > 0) Stash(in + *taken, n, end);
    *taken += n;
    return stashed_ == end;
  };
  if (stashed_ > 0 && total_ == 0 && !stash_up_to(head())) return SshOpenStatus::kNeedMore;
  const size_t have = stashed_ > 0 ? stashed_ : length - *taken;
  const uint8_t* const at = stashed_ > 0 ? stash_.get() : in + *taken;
  if (have == 0) return SshOpenStatus::kNeedMore;
  if (total_ == 0 && have >= head()) {
    const SshOpenStatus status = ReadLength(at, &total_);
    if (status != SshOpenStatus::kNeedMore) return status;
  }
  if (stashed_ == 0 && total_ > 0 && have >= total_) {
    *start = at;
  } else if (stash_up_to(total_ > 0 ? total_ : head())) {
    *start = stash_.get();
  }
  return SshOpenStatus::kNeedMore;
}

// One whole packet, of which nothing is left in out when it can't be opened.
SshOpenStatus SshOpener::OpenPacket(const uint8_t* start, uint8_t* out, SshPayload* payload) {
  if (!MayGoOn()) return SshOpenStatus::kLimit;
  const uint8_t* const end = start + total_ - tag();
  uint8_t nonce[kMaxIv], mac[kMaxMac];
  BuildNonce(nonce);
  Record record = {};
  record.nonce = nonce;
  record.in = order_ == SshOrder::kEncryptAndMac ? start : start + kSshLengthField;
  record.length = static_cast<size_t>(end - record.in);
  record.out = out;
  if (order_ == SshOrder::kAead) {
    record.aad = start;
    record.aad_length = kSshLengthField;
    record.sent_tag = end;
    cipher_->OpenAll(&record, 1);
  } else {
    if (order_ == SshOrder::kEncryptThenMac) {
      Mac(start, total_ - tag(), mac);
      if (CRYPTO_memcmp(mac, end, tag()) != 0) return SshOpenStatus::kBadMac;
    }
    cipher_->CryptAll(&record, 1);
  }
  SshOpenStatus status = SshOpenStatus::kNeedMore;
  const uint8_t* text = out;
  if (record.outcome == Outcome::kFailed) {
    status = SshOpenStatus::kProvider;
  } else if (record.outcome == Outcome::kNotAuthentic) {
    status = SshOpenStatus::kBadMac;
  } else if (order_ == SshOrder::kEncryptAndMac) {
    Mac(out, record.length, mac);
    if (CRYPTO_memcmp(mac, end, tag()) != 0) status = SshOpenStatus::kBadMac;
    text += kSshLengthField;
  }
  if (status == SshOpenStatus::kNeedMore) {  // it is authentic
    const size_t length = total_ - tag() - kSshLengthField;
    const size_t padding = *text;
    if (padding < kSshMinPadding || padding >= length) status = SshOpenStatus::kBadPadding;
    payload->offset = static_cast<uint32_t>(text + 1 - out);
    payload->length = static_cast<uint32_t>(length - 1 - padding);
  }
  if (status != SshOpenStatus::kNeedMore) {
    OPENSSL_cleanse(out, record.length);
    return status;
  }
  Advance(record.length, end);
  return status;
}

// SSH_MSG_CHANNEL_DATA (RFC 4254 5.2): byte 94, uint32 recipient channel, string data.
bool IsChannelData(const uint8_t* payload, size_t length) {
  return length > kSshDataHead && payload[0] == kSshChannelData && GetBigEndian(payload + 5, 4) == length - kSshDataHead;
}

// Both are SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 5.2: byte 93, uint32 recipient channel, uint32 bytes to add) for one channel, and their sum
// is one, too: it is in the first then. (Who receives much sends one for each packet.)
bool JoinAdjusts(uint8_t* first, size_t first_length, const uint8_t* second, size_t second_length) {
  if (first_length != kSshAdjust || second_length != kSshAdjust || first[0] != kSshWindowAdjust || memcmp(first, second, 5) != 0) return false;
  const uint64_t sum = GetBigEndian(first + 5, 4) + GetBigEndian(second + 5, 4);
  if (sum > UINT32_MAX) return false;
  PutBigEndian(first + 5, sum, 4);
  return true;
}

// A packet behind the payload `before` in out, which ends where out + payload->offset would be. When both carry data of one channel, and much
// of it, the data of the second are opened right behind those of the first, and belong to it: payload->length is 0 then. (A channel is a
// stream: who reads it sees nothing of its packets, but has work with each.)
SshOpenStatus SshOpener::OpenBehind(const uint8_t* start, uint8_t* out, SshPayload* before, SshPayload* payload) {
  uint8_t* const first = out + before->offset;
  uint8_t* const end = first + before->length;
  const size_t front = (order_ == SshOrder::kEncryptAndMac ? kSshLengthField : 0) + 1 + kSshDataHead;
  if (before->length < kSshWorthJoining || total_ < kSshWorthJoining || !IsChannelData(first, before->length)) {
    const SshOpenStatus status = OpenPacket(start, end, payload);
    payload->offset += static_cast<uint32_t>(end - out);
    if (status == SshOpenStatus::kNeedMore && JoinAdjusts(first, before->length, out + payload->offset, payload->length)) payload->length = 0;
    return status;
  }
  // What the head of the second overwrites.
  uint8_t tail[kSshLengthField + 1 + kSshDataHead];
  memcpy(tail, end - front, front);
  const size_t room = total_;
  const SshOpenStatus status = OpenPacket(start, end - front, payload);
  const uint8_t* const text = end - front + payload->offset;
  const bool joins = status == SshOpenStatus::kNeedMore && IsChannelData(text, payload->length) && memcmp(text, first, 5) == 0;
  if (joins) {
    before->length += payload->length - static_cast<uint32_t>(kSshDataHead);
    PutBigEndian(first + 5, before->length - kSshDataHead, 4);
    payload->length = 0;
  } else if (status == SshOpenStatus::kNeedMore) {
    memmove(end, end - front, room);
    payload->offset += static_cast<uint32_t>(end - out);
  }
  memcpy(end - front, tail, front);
  OPENSSL_cleanse(tail, sizeof tail);
  return status;
}

// CBC without -etm: what an attacker has sent decides over the length before any MAC does, and where and how it fails would tell 32 bits
// of a plaintext block (Albrecht, Paterson, Watson 2009). So it fails, always the same way, when as many bytes have come as the longest
// packet has, and after a MAC over as many. As OpenSSH's ssh_packet_start_discard(). verified: bytes that a MAC was computed of.
SshOpenStatus SshOpener::Fail(SshOpenStatus status, size_t taken, size_t verified) {
  const bool is_oracle = order_ == SshOrder::kEncryptAndMac && cipher_->info().mode == CipherMode::kCbc &&
                         (status == SshOpenStatus::kBadMac || status == SshOpenStatus::kTooLong || status == SshOpenStatus::kBadLength);
  if (!is_oracle) return status;
  discarding_ = true;
  discard_ = kSshLengthField + kSshMaxPacket + tag() - taken;
  verified_ = verified;
  stashed_ = 0;
  return SshOpenStatus::kNeedMore;
}

SshOpenStatus SshOpener::Discard(size_t length, size_t* taken) {
  const size_t n = std::min(discard_, length - *taken);
  *taken += n;
  discard_ -= n;
  if (discard_ > 0) return SshOpenStatus::kNeedMore;
  const size_t rest = kSshLengthField + kSshMaxPacket - verified_;
  if (rest > 0) {
    uint8_t mac[kMaxMac];
    const std::unique_ptr<uint8_t[]> nothing(new uint8_t[rest]());
    Mac(nothing.get(), rest, mac);
  }
  return SshOpenStatus::kBadMac;
}

SshOpenResult SshOpener::Open(const uint8_t* in, size_t length, SshOpenMode mode, uint8_t* out, size_t capacity, SshPayload* payloads,
                              size_t most) {
  if (mode == SshOpenMode::kOne) most = std::min<size_t>(most, 1);
  SshOpenResult result = {SshOpenStatus::kNeedMore, 0, 0, 0};
  size_t used = 0;  // of out
  for (;;) {
    if (discarding_) {
      result.status = Discard(length, &result.consumed);
      return result;
    }
    if (result.count == most) {  // the next one's length may be under another key: not even that is looked at
      if (result.consumed < length || stashed_ > 0) result.status = SshOpenStatus::kCapacity;
      return result;
    }
    const uint8_t* start;
    result.status = NextPacket(in, length, &result.consumed, &start);
    if (result.status != SshOpenStatus::kNeedMore) {
      // Of the input nothing has been taken unless it is in the stash.
      const size_t taken = stashed_ > 0 ? stashed_ : std::min(head(), length - result.consumed);
      if (stashed_ == 0) result.consumed += taken;
      result.status = Fail(result.status, taken, 0);
      if (result.status != SshOpenStatus::kNeedMore) return result;
      continue;
    }
    if (start == nullptr) break;
    const bool in_stash = stashed_ > 0;
    if (capacity - used < total_) {
      result.status = SshOpenStatus::kCapacity;
      return result;
    }
    SshPayload* const payload = payloads + result.count;
    const size_t total = total_;
    if (mode == SshOpenMode::kJoined && result.count > 0) {
      result.status = OpenBehind(start, out, payload - 1, payload);
    } else {
      result.status = OpenPacket(start, out + used, payload);
      payload->offset += static_cast<uint32_t>(used);
    }
    if (!in_stash) result.consumed += total;
    if (result.status != SshOpenStatus::kNeedMore) {
      result.status = Fail(result.status, total, total - tag());
      if (result.status != SshOpenStatus::kNeedMore) return result;
      continue;
    }
    stashed_ = 0;
    total_ = 0;
    if (payload->length == 0) {  // legal, and nothing to tell; or the one before it has become longer
      result.joined++;
      if (result.count > 0) used = payload[-1].offset + payload[-1].length;
      continue;
    }
    used = payload->offset + payload->length;
    result.count++;
    if (mode != SshOpenMode::kOne && out[payload->offset] == kSshNewKeys) {
      result.status = SshOpenStatus::kNewKeys;
      break;
    }
  }
  // An idle connection keeps nothing.
  if (stashed_ == 0 && stash_room_ > 0) {
    stash_.reset();
    stash_room_ = 0;
  }
  return result;
}

}  // namespace so_crypt
