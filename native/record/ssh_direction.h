// SPDX-License-Identifier: MIT
// SSH's binary packets (RFC 4253 6) and what sealing and opening them have in common: one direction of a connection.
//
//   uint32 packet_length | byte padding_length | payload | padding | MAC or tag
//
// What is encrypted and what the MAC covers: RFC 4253 6.4 (encrypt-and-MAC), OpenSSH's PROTOCOL 1.5 (-etm MACs), RFC 5647 7 (AES-GCM) and
// OpenSSH's PROTOCOL.chacha20poly1305.
#pragma once
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "../providers/provider.h"
#include "fingerprint.h"
#include "frame_layout.h"
#include "hmac.h"

namespace so_crypt {

constexpr size_t kSshLengthField = 4;
constexpr size_t kSshMinPadding = 4;
// Largest packet_length, as OpenSSH has it (RFC 4253 6.1 asks for 35,000 at least).
constexpr size_t kSshMaxPacket = 256 * 1024;
constexpr uint8_t kSshNewKeys = 21;       // SSH_MSG_NEWKEYS, RFC 4253 12
constexpr uint8_t kSshWindowAdjust = 93;  // SSH_MSG_CHANNEL_WINDOW_ADJUST, RFC 4254 9
constexpr uint8_t kSshChannelData = 94;   // SSH_MSG_CHANNEL_DATA
constexpr size_t kSshAdjust = 9;          // the payload of the one, ...
constexpr size_t kSshDataHead = 9;        // ... and of the other what is ahead of the data
// Payloads and packets of so many bytes are opened as one, where that is wanted: people and terminals send less at a time.
constexpr size_t kSshWorthJoining = 4096;

enum class SshOrder : uint8_t {
  kAead,            // the length is associated data; ChaCha20 encrypts it under a key of its own
  kEncryptAndMac,   // all is encrypted, the MAC covers the plaintext
  kEncryptThenMac,  // the length is plain, the MAC covers it and the ciphertext
};

struct SshInit {
  std::unique_ptr<Cipher> cipher;
  std::unique_ptr<Cipher> peek;  // opening: reads the length where that takes a call of the cipher; null: the cipher itself does
  std::unique_ptr<Hmac> hmac;    // null with AEAD
  bool encrypt_then_mac;
  uint8_t iv[kMaxIv];
  uint32_t sequence;
  uint64_t limit;  // packets under this key
  Fingerprint fingerprint;
};

class SshDirection {
 public:
  explicit SshDirection(SshInit&& init)
      : cipher_(std::move(init.cipher)),
        hmac_(std::move(init.hmac)),
        order_(cipher_->info().mode == CipherMode::kAead ? SshOrder::kAead
               : init.encrypt_then_mac                   ? SshOrder::kEncryptThenMac
                                                         : SshOrder::kEncryptAndMac),
        sequence_(init.sequence),
        limit_(init.limit),
        used_(init.fingerprint) {
    memcpy(iv_, init.iv, sizeof iv_);
    OPENSSL_cleanse(init.iv, sizeof init.iv);
  }
  ~SshDirection() { OPENSSL_cleanse(iv_, sizeof iv_); }
  SshDirection(const SshDirection&) = delete;
  SshDirection& operator=(const SshDirection&) = delete;

  uint32_t sequence() const { return sequence_; }
  void set_sequence(uint32_t sequence) { sequence_ = sequence; }
  uint64_t packets() const { return packets_; }
  const Fingerprint& used() const { return used_; }
  // The IV of the next packet.
  const uint8_t* iv() const { return iv_; }

 protected:
  // What a packet's length is a multiple of, MAC and, unless it is encrypted with the rest, length field not counted.
  size_t block() const {
    if (cipher_->info().nonce_is_sequence) return 8;
    return cipher_->info().mode == CipherMode::kCbc ? cipher_->info().block : 16;
  }
  bool hidden_length() const { return order_ == SshOrder::kEncryptAndMac || cipher_->info().nonce_is_sequence; }
  size_t tag() const { return order_ == SshOrder::kAead ? cipher_->info().tag_length : hmac_->length(); }
  bool MayGoOn() const { return packets_ < limit_; }

  void BuildNonce(uint8_t out[kMaxIv]) const {
    if (cipher_->info().nonce_is_sequence) {
      PutBigEndian(out, sequence_, 8);
    } else {
      memcpy(out, iv_, kMaxIv);
    }
  }

  void Mac(const uint8_t* data, size_t length, uint8_t* out) const {
    uint8_t sequence[4];
    PutBigEndian(sequence, sequence_, 4);
    hmac_->Compute(sequence, sizeof sequence, data, length, out);
  }

  // Goes on behind a packet. encrypted: how much of it the cipher has done; ciphertext_end: of that.
  void Advance(size_t encrypted, const uint8_t* ciphertext_end) {
    switch (cipher_->info().mode) {
      case CipherMode::kAead:  // the invocation counter, RFC 5647 7.1
        if (!cipher_->info().nonce_is_sequence) PutBigEndian(iv_ + 4, GetBigEndian(iv_ + 4, 8) + 1, 8);
        break;
      case CipherMode::kCbc:
        memcpy(iv_, ciphertext_end - block(), block());
        break;
      case CipherMode::kCtr: {  // RFC 4344 4
        size_t blocks = encrypted / 16;
        for (size_t i = 16; i-- > 0; blocks >>= 8) iv_[i] = static_cast<uint8_t>(blocks += iv_[i]);
        break;
      }
    }
    sequence_++;  // it wraps: RFC 4253 6.4
    packets_++;
  }

  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<Hmac> hmac_;
  const SshOrder order_;
  uint8_t iv_[kMaxIv];
  uint32_t sequence_;
  uint64_t packets_ = 0;
  const uint64_t limit_;
  const Fingerprint used_;
};

}  // namespace so_crypt
