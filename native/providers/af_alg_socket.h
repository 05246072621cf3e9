// SPDX-License-Identifier: MIT
// Sockets on the kernel's ciphers (Documentation/crypto/userspace-if.rst). An algorithm under a key is one socket; operations go
// through sockets that are accepted from it. Functions that fail set LastFailure().
#pragma once
#include <sys/uio.h>

#include "provider.h"

namespace so_crypt::af_alg {

// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// The kernel's name of the algorithm, by which it takes the best driver there is.
const char* AlgorithmOf(const CipherInfo& info);

// The algorithm or driver called name, under a key. Not open when it fails.
Descriptor OpenAlgorithm(const CipherInfo& info, const char* name, const uint8_t* key);

// A socket for one operation at a time.
Descriptor AcceptOperation(const Descriptor& algorithm);

// Makes the socket take operations of so many bytes at once, as far as the system allows. The number that it does take.
size_t ReserveRoom(const Descriptor& operation, size_t length);

// Gives a record to an operation socket. It takes all of it or fails; what is left then goes when the socket is closed.
bool Send(const Descriptor& operation, const CipherInfo& info, bool encrypt, const Record& record);

// Where the result of a record goes. The kernel repeats the AAD before it.
class Result {
 public:
  static constexpr size_t kMaxParts = 3;

  // out, tag: the record's own, or other places for as many bytes.
  void Set(const CipherInfo& info, bool encrypt, const Record& record, uint8_t* out, uint8_t* tag);

  iovec* parts() { return parts_; }
  size_t count() const { return count_; }
  size_t length() const { return length_; }

  // What a read of the result amounts to that returned so many bytes or failed with -errno.
  Outcome Judge(const CipherInfo& info, bool encrypt, int64_t returned) const;

 private:
  iovec parts_[kMaxParts];
  size_t count_;
  size_t length_;
  uint8_t aad_[64];
};

// Waits for the result of the record that was sent.
Outcome Receive(const Descriptor& operation, const CipherInfo& info, bool encrypt, const Record& record);

}  // namespace so_crypt::af_alg
