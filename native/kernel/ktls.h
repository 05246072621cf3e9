// SPDX-License-Identifier: MIT
// Linux kTLS (include/uapi/linux/tls.h, Documentation/networking/tls.rst): keys of a direction go into a TCP socket, and the kernel
// makes and opens its records. All numbers here are the kernel's ABI. Functions return 0 or a count, and -errno when they fail.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../record/fingerprint.h"
#include "../record/key_schedule.h"

namespace so_crypt {

enum class TlsVersion : uint16_t { k12 = 0x0303, k13 = 0x0304 };

constexpr size_t kKtlsMaxKey = 32;
constexpr size_t kKtlsMaxIv = 12;

// What the kernel's struct tls12_crypto_info_* of a cipher looks like; null where it has none.
struct KtlsCipher {
  const char* name;  // as in lib/ciphers.ts
  uint16_t type;     // TLS_CIPHER_*
  uint8_t iv;        // TLS_CIPHER_*_IV_SIZE
  uint8_t key;
  uint8_t salt;
};
const KtlsCipher* FindKtlsCipher(const char* name);
const KtlsCipher* FindKtlsCipherByType(uint16_t type);

// Makes the kernel's TLS the socket's upper layer protocol. Bytes pass through unchanged until keys are set.
int AttachKtls(int fd);

// Key, IV and sequence number of one direction on their way into the kernel, and the traffic secret that the next key comes from.
class KtlsKeys {
 public:
  // iv: write_iv in TLS 1.3 and with ChaCha20 (12 bytes), else the salt (4 bytes). explicit_nonce: TLS 1.2 GCM and CCM, of the next
  // record that is sent.
  KtlsKeys(const KtlsCipher& cipher, TlsVersion version, const uint8_t* key, const uint8_t* iv, size_t iv_length, uint64_t sequence,
           uint64_t explicit_nonce, const TrafficSecret& secret);
  ~KtlsKeys() { Wipe(); }
  KtlsKeys(const KtlsKeys&) = delete;
  KtlsKeys& operator=(const KtlsKeys&) = delete;

  // Gives the kernel the key, which is wiped here when that has worked.
  int Arm(int fd, bool write);

  // The key after a KeyUpdate, with sequence number 0 (RFC 8446 7.2); Arm() gives it to the kernel. False without a traffic secret.
  bool Next();

  // Before Arm(): records that were opened here already.
  void set_sequence(uint64_t sequence) { sequence_ = sequence; }

  const std::vector<Fingerprint>& used() const { return used_; }

 private:
  void Wipe();

  const KtlsCipher& cipher_;
  const TlsVersion version_;
  uint8_t key_[kKtlsMaxKey];
  uint8_t iv_[kKtlsMaxIv];
  const size_t iv_length_;
  uint64_t sequence_;
  uint64_t explicit_nonce_;
  TrafficSecret secret_;
  std::vector<Fingerprint> used_;
};

// TLS 1.3: lets the kernel decrypt into the reader's memory at once (TLS_RX_EXPECT_NO_PAD). For peers that are known not to pad: when a
// record is padded all the same, Linux 6.1 delivers the ones behind it at a wrong place.
int ExpectNoPadding(int fd);

// The sequence number of the next record.
int KtlsSequence(int fd, bool write, const KtlsCipher& cipher, uint64_t* sequence);

// Whether records of this cipher make their way from one socket to another, tried on a loopback connection: 0, or -errno of the system
// call that *step names. With that, whether the key can be changed (Linux 6.14).
struct KtlsProbe {
  int error;
  const char* step;
  bool rekey;
};
KtlsProbe ProbeKtls(const KtlsCipher& cipher, TlsVersion version);

// Whether the network card does the record work of a direction. False also where that is not known: kernels tell administrators only.
bool IsKtlsOnDevice(int fd, bool write);

}  // namespace so_crypt
