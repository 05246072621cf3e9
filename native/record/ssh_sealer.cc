// SPDX-License-Identifier: MIT
#include "ssh_sealer.h"

#include <openssl/rand.h>

namespace so_crypt {
namespace {

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

SealStatus SshSealer::SealPacket(const Chunk& payload, uint8_t* out, size_t* written) {
  if (!MayGoOn()) return SealStatus::kLimit;
  const size_t aligned = (order_ == SshOrder::kEncryptAndMac ? kSshLengthField : 0) + 1 + payload.length;
  size_t padding = block() - aligned % block();
  if (padding < kSshMinPadding) padding += block();
  const size_t length = 1 + payload.length + padding;
  if (length > kSshMaxPacket) return SealStatus::kTooLong;
  PutBigEndian(out, length, kSshLengthField);
  uint8_t* const text = out + kSshLengthField;
  *text = static_cast<uint8_t>(padding);
  memcpy(text + 1, payload.data, payload.length);
  if (!RandomBytes(text + 1 + payload.length, padding)) return SealStatus::kProvider;
  uint8_t* const end = text + length;
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
      cipher_->SealAll(&record, 1);
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
  if (record.outcome != Outcome::kDone) return SealStatus::kProvider;
  *written += static_cast<size_t>(end - out) + tag();
  return SealStatus::kOk;
}

SealStatus SshSealer::Seal(const Chunk* payloads, size_t count, uint8_t* out, size_t capacity, size_t* written) {
  *written = 0;
  for (size_t i = 0; i < count; i++) {
    if (payloads[i].length > kSshMaxPacket) return SealStatus::kTooLong;
    if (capacity - *written < payloads[i].length + MaxOverhead()) return SealStatus::kCapacity;
    const SealStatus status = SealPacket(payloads[i], out + *written, written);
    if (status != SealStatus::kOk) return status;
  }
  return SealStatus::kOk;
}

}  // namespace so_crypt
