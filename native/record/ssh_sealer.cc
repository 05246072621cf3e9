// SPDX-License-Identifier: MIT
#include "ssh_sealer.h"

#include <openssl/rand.h>

#include <iterator>

namespace so_crypt {
namespace {

// Below that, copying costs less than more calls of the cipher.
constexpr size_t kInParts = 1024;

constexpr uint8_t kNoByte = 0;
constexpr Chunk kNothing = {&kNoByte, 0};

// Padding must be random (RFC 4253 6): one call of the generator for many packets.
bool RandomBytes(uint8_t* out, size_t length) {
  constexpr size_t kPool = 2048;
  static thread_local uint8_t pool[kPool];
  static thread_local size_t used = kPool;
  if (used + length > kPool) {
    if (RAND_bytes(pool, kPool) != 1) return false;
    used = 0;
  }
  memcpy(out, pool + used, length);
  used += length;
  return true;
}

}  // namespace

SealStatus SshSealer::SealPacket(const Chunk& head, const Chunk& body, uint8_t* out, size_t* written) {
  if (!MayGoOn()) return SealStatus::kLimit;
  const size_t payload = head.length + body.length;
  const size_t aligned = (order_ == SshOrder::kEncryptAndMac ? kSshLengthField : 0) + 1 + payload;
  size_t padding = block() - aligned % block();
  if (padding < kSshMinPadding) padding += block();
  const size_t length = 1 + payload + padding;
  if (length > kSshMaxPacket) return SealStatus::kTooLong;
  PutBigEndian(out, length, kSshLengthField);
  uint8_t* const text = out + kSshLengthField;
  *text = static_cast<uint8_t>(padding);
  memcpy(text + 1, head.data, head.length);
  // A long one is encrypted from where it is.
  const bool in_parts = body.length >= kInParts && order_ == SshOrder::kAead && cipher_->gathers();
  if (!in_parts) memcpy(text + 1 + head.length, body.data, body.length);
  uint8_t* const end = text + length;
  if (!RandomBytes(end - padding, padding)) return SealStatus::kProvider;
  uint8_t nonce[kMaxIv];
  BuildNonce(nonce);

  Record record = {};
  record.nonce = nonce;
  record.in = record.out = order_ == SshOrder::kEncryptAndMac ? out : text;
  record.length = static_cast<size_t>(end - record.out);
  // Whatever becomes of it: a nonce is used once.
  switch (order_) {
    case SshOrder::kAead:
      if (hidden_length() && !cipher_->CryptLength(nonce, out, out)) return SealStatus::kProvider;
      record.aad = out;
      record.aad_length = kSshLengthField;
      record.tag = end;
      if (in_parts) {
        const Part parts[] = {{text, 1 + head.length}, {body.data, body.length}, {end - padding, padding}};
        const bool done = cipher_->SealParts(nonce, out, kSshLengthField, parts, std::size(parts), text, end);
        record.outcome = done ? Outcome::kDone : Outcome::kFailed;
      } else {
        cipher_->SealAll(&record, 1);
      }
      break;
    case SshOrder::kEncryptAndMac:
      Mac(out, static_cast<size_t>(end - out), end);
      cipher_->CryptAll(&record, 1);
      break;
    case SshOrder::kEncryptThenMac:
      cipher_->CryptAll(&record, 1);
      Mac(out, static_cast<size_t>(end - out), end);
      break;
  }
  Advance(record.length, end);
  if (record.outcome != Outcome::kDone) {
    OPENSSL_cleanse(out, static_cast<size_t>(end - out));  // it may be plaintext still
    return SealStatus::kProvider;
  }
  *written += static_cast<size_t>(end - out) + tag();
  return SealStatus::kOk;
}

SealStatus SshSealer::SealParts(const Chunk& head, const Chunk& body, uint8_t* out, size_t room, size_t* written) {
  if (head.length > kSshMaxPacket || body.length > kSshMaxPacket) return SealStatus::kTooLong;
  if (room < head.length + body.length + MaxOverhead()) return SealStatus::kCapacity;
  return SealPacket(head, body, out, written);
}

SealStatus SshSealer::Seal(const Chunk* payloads, size_t count, uint8_t* out, size_t capacity, size_t* written) {
  *written = 0;
  for (size_t i = 0; i < count; i++) {
    const SealStatus status = SealParts(kNothing, payloads[i], out + *written, capacity - *written, written);
    if (status != SealStatus::kOk) return status;
  }
  return SealStatus::kOk;
}

}  // namespace so_crypt
