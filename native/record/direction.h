// SPDX-License-Identifier: MIT
// What sealing and opening have in common: one direction of a connection, its layout, key, IV and sequence number.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "../providers/provider.h"
#include "frame_layout.h"
#include "hmac.h"
#include "key_schedule.h"

// For what every record goes through, where a call of its own showed with records of some hundred bytes.
#if defined(__GNUC__) || defined(__clang__)
#define SO_CRYPT_INLINE __attribute__((always_inline)) inline
#else
#define SO_CRYPT_INLINE inline
#endif

namespace so_crypt {

// Tells keys apart without keeping them.
using Fingerprint = std::array<uint8_t, 16>;

inline Fingerprint FingerprintOf(const uint8_t* key, size_t key_length, const uint8_t* iv, size_t iv_length) {
  SHA256_CTX context;
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_Init(&context);
  SHA256_Update(&context, key, key_length);
  SHA256_Update(&context, iv, iv_length);
  SHA256_Final(digest, &context);
  OPENSSL_cleanse(&context, sizeof context);
  Fingerprint fingerprint;
  memcpy(fingerprint.data(), digest, fingerprint.size());
  return fingerprint;
}

// Most frames that go to a cipher at once.
constexpr size_t kMaxBatch = 16;

struct DirectionInit {
  FrameLayout layout;
  Fingerprint fingerprint;
  TrafficSecret secret;  // TLS 1.3, empty where it is not known
  std::unique_ptr<Cipher> cipher;
  std::unique_ptr<Hmac> hmac;  // null with AEAD
  uint8_t iv[kMaxIv];          // the fixed part, or the whole IV of a chained layout
  uint64_t sequence;
  uint64_t explicit_counter;  // of the next frame; sealing only
  uint64_t limit;             // frames allowed under one key
};

class Direction {
 public:
  explicit Direction(DirectionInit&& init)
      : layout_(init.layout),
        cipher_(std::move(init.cipher)),
        hmac_(std::move(init.hmac)),
        sequence_(init.sequence),
        explicit_counter_(init.explicit_counter),
        limit_(init.limit),
        secret_(init.secret),
        used_{init.fingerprint} {
    memcpy(iv_, init.iv, sizeof iv_);
    OPENSSL_cleanse(init.iv, sizeof init.iv);
  }
  ~Direction() { OPENSSL_cleanse(iv_, sizeof iv_); }
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  const FrameLayout& layout() const { return layout_; }
  uint64_t sequence() const { return sequence_; }
  uint64_t frames() const { return frames_; }

  // Whether this direction has ever had a key of the other's: a nonce could repeat under it.
  bool HasUsedKeyOf(const Direction& other) const {
    for (const Fingerprint& used : used_)
      for (const Fingerprint& key : other.used_)
        if (used == key) return true;
    return false;
  }

  // Goes over to the next key after a KeyUpdate; sequence numbers start again at 0. False without a traffic secret.
  bool UpdateKey() {
    if (secret_.empty()) return false;
    const size_t key_length = cipher_->info().key_length;
    uint8_t key[kMaxKey];
    secret_.Update();
    secret_.Expand("key", key, key_length);
    secret_.Expand("iv", iv_, layout_.fixed_iv);
    const bool done = cipher_->SetKey(key);
    used_.push_back(FingerprintOf(key, key_length, iv_, layout_.fixed_iv));
    OPENSSL_cleanse(key, sizeof key);
    sequence_ = 0;
    frames_ = 0;
    return done;
  }

 protected:
  size_t block() const { return cipher_->info().block; }
  bool aead() const { return layout_.order == MacOrder::kAead; }

  // How many frames go to the cipher at once. A chained IV is known when the frame before is done.
  size_t depth() const { return layout_.nonce == Nonce::kChained ? 1 : std::min(cipher_->depth(), kMaxBatch); }

  // The IV of the frame with this sequence number. explicit_part: its layout_.explicit_iv bytes in the frame.
  void BuildIv(const uint8_t* explicit_part, uint64_t number, uint8_t out[kMaxIv]) const {
    memcpy(out, iv_, kMaxIv);
    switch (layout_.nonce) {
      case Nonce::kXorSequence: {
        uint8_t sequence[8];
        PutBigEndian(sequence, number, 8);
        for (size_t i = 0; i < 8; i++) out[layout_.fixed_iv - 8 + i] ^= sequence[i];
        break;
      }
      case Nonce::kExplicitCounter:
      case Nonce::kExplicitRandom:
        memcpy(out + layout_.fixed_iv, explicit_part, layout_.explicit_iv);
        break;
      case Nonce::kChained:
        break;
    }
    // CTR counts the blocks of a frame in the last 4 bytes, from 1 (RFC 3686 4).
    if (cipher_->info().mode == CipherMode::kCtr) PutBigEndian(out + 12, 1, 4);
  }

  void ChainIv(const uint8_t* ciphertext_end) {
    if (layout_.nonce == Nonce::kChained) memcpy(iv_, ciphertext_end - block(), block());
  }

  // False when the next frame, or one that comes `ahead` frames later, would repeat a sequence number or pass the cipher's limit.
  bool MayGoOn(size_t ahead = 0) const { return limit_ - frames_ > ahead && UINT64_MAX - sequence_ > ahead; }

  void Advance() {
    sequence_++;
    frames_++;
  }

  const FrameLayout layout_;
  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<Hmac> hmac_;
  uint8_t iv_[kMaxIv];
  uint64_t sequence_;
  uint64_t frames_ = 0;
  uint64_t explicit_counter_;
  const uint64_t limit_;
  TrafficSecret secret_;
  std::vector<Fingerprint> used_;
};

}  // namespace so_crypt
