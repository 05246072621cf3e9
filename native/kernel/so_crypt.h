// SPDX-License-Identifier: MIT
// Our kernel extension (kernel-patch/linux/include/uapi/linux/so_crypt.h): keys and framing of a direction go into a TCP socket. Functions
// return 0, or -errno.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../record/fingerprint.h"
#include "../record/frame_layout.h"
#include "../record/key_schedule.h"

namespace so_crypt {

// Makes the extension the socket's upper layer protocol. Bytes pass through unchanged until keys are set.
int AttachSoCrypt(int fd);

// What is armed: framing, cipher and keys of one direction.
struct SoCryptSpec {
  int protocol;  // enum so_crypt_protocol
  const char* cipher;  // as in lib/ciphers.ts
  const char* driver;  // the kernel's name of what does it; "" for its choice
  const char* mac;     // "" with AEAD
  FrameLayout layout;  // of a custom protocol; else its order and tag matter
  uint32_t max_payload;
  uint64_t sequence;
  uint64_t explicit_nonce;  // TLS 1.2 GCM and CCM, writing
  uint64_t limit;
};

// Key material on its way into the kernel, and the traffic secret that the next key comes from.
class SoCryptKeys {
 public:
  static constexpr size_t kMaxKey = 64;  // SSH's ChaCha20 has two
  static constexpr size_t kMaxMacKey = 64;

  // key: at most kMaxKey bytes; mac_key: at most kMaxMacKey.
  SoCryptKeys(const SoCryptSpec& spec, const uint8_t* key, size_t key_length, const uint8_t* iv, size_t iv_length,
              const uint8_t* mac_key, size_t mac_key_length, const TrafficSecret& secret);
  ~SoCryptKeys();
  SoCryptKeys(const SoCryptKeys&) = delete;
  SoCryptKeys& operator=(const SoCryptKeys&) = delete;

  // Gives the kernel the key, which is wiped here when that has worked. again: the direction is armed already.
  int Arm(int fd, bool write, bool again);

  // The key after a KeyUpdate, with sequence number 0 (RFC 8446 7.2); Arm() gives it to the kernel. False without a traffic secret.
  bool Next();

  // Before Arm(): where records that were opened here already have led to. iv: of a chained layout, iv_length bytes.
  void set_sequence(uint64_t sequence) { spec_.sequence = sequence; }
  void set_iv(const uint8_t* iv) { memcpy(iv_, iv, iv_length_); }
  size_t iv_length() const { return iv_length_; }

  const std::vector<Fingerprint>& used() const { return used_; }

 private:
  void Wipe();

  SoCryptSpec spec_;
  uint8_t key_[kMaxKey];
  size_t key_length_;
  uint8_t iv_[kMaxIv];
  size_t iv_length_;
  uint8_t mac_key_[kMaxMacKey];
  size_t mac_key_length_;
  TrafficSecret secret_;
  bool armed_ = false;
  std::vector<Fingerprint> used_;
};

// Whether a record makes its way from one socket to another, tried on a loopback connection: 0, or -errno of the system call that *step
// names.
int ProbeSoCrypt(const char** step);

// The sequence number of the next record.
int SoCryptSequence(int fd, bool write, uint64_t* sequence);

}  // namespace so_crypt
