// SPDX-License-Identifier: MIT
#ifdef __linux__
#include "af_alg_socket.h"

#include <errno.h>
#include <linux/if_alg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#ifndef SOL_ALG
#define SOL_ALG 279
#endif

namespace so_crypt::af_alg {
namespace {

constexpr size_t kMaxKernelIv = 16;

Descriptor Fail(const char* call) {
  LastFailure() = {call, errno};
  return Descriptor();
}

// The IV as the kernel's algorithm has it. Returns its length.
size_t KernelIv(const CipherInfo& info, const uint8_t* nonce, uint8_t out[kMaxKernelIv]) {
  if (!info.one_update) {
    memcpy(out, nonce, info.iv_length);
    return info.iv_length;
  }
  // CCM takes the first counter block (RFC 3610 2.3): one less than the bytes of the length field, nonce, zeros.
  memset(out, 0, kMaxKernelIv);
  out[0] = static_cast<uint8_t>(15 - info.iv_length - 1);
  memcpy(out + 1, nonce, info.iv_length);
  return kMaxKernelIv;
}

// The control messages of one operation.
class Control {
 public:
  explicit Control(msghdr* message) : message_(message) {
    message->msg_control = bytes_;
    message->msg_controllen = 0;
  }

  // Each begins with a number; behind the IV's length comes the IV (struct af_alg_iv).
  void Add(int type, size_t number, const uint8_t* bytes = nullptr, size_t length = 0) {
    auto* header = reinterpret_cast<cmsghdr*>(bytes_ + message_->msg_controllen);
    const uint32_t value = static_cast<uint32_t>(number);
    header->cmsg_level = SOL_ALG;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value + length);
    memcpy(CMSG_DATA(header), &value, sizeof value);
    if (length > 0) memcpy(CMSG_DATA(header) + sizeof value, bytes, length);
    message_->msg_controllen += CMSG_SPACE(sizeof value + length);
  }

 private:
  msghdr* const message_;
  alignas(cmsghdr) uint8_t bytes_[2 * CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(uint32_t) + kMaxKernelIv)] = {};
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Descriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

const char* AlgorithmOf(const CipherInfo& info) {
  switch (info.mode) {
    case CipherMode::kCtr:
      return "ctr(aes)";
    case CipherMode::kCbc:
      return info.block == 8 ? "cbc(des3_ede)" : "cbc(aes)";
    default:
      if (info.one_update) return "ccm(aes)";
      return strncmp(info.name, "aes", 3) == 0 ? "gcm(aes)" : "rfc7539(chacha20,poly1305)";
  }
}

Descriptor OpenAlgorithm(const CipherInfo& info, const char* name, const uint8_t* key) {
  const bool aead = info.mode == CipherMode::kAead;
  sockaddr_alg address = {};
  address.salg_family = AF_ALG;
  strcpy(reinterpret_cast<char*>(address.salg_type), aead ? "aead" : "skcipher");
  if (strlen(name) >= sizeof address.salg_name) {
    errno = ENOENT;
    return Fail("bind");
  }
  strcpy(reinterpret_cast<char*>(address.salg_name), name);
  Descriptor algorithm(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!algorithm.open()) return Fail("socket");
  if (bind(algorithm.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fail("bind");
  if (setsockopt(algorithm.get(), SOL_ALG, ALG_SET_KEY, key, info.key_length) != 0) return Fail("ALG_SET_KEY");
  if (aead && setsockopt(algorithm.get(), SOL_ALG, ALG_SET_AEAD_AUTHSIZE, nullptr, info.tag_length) != 0)
    return Fail("ALG_SET_AEAD_AUTHSIZE");
  return algorithm;
}

Descriptor AcceptOperation(const Descriptor& algorithm) {
  // Non-blocking: should the kernel ever want more bytes than it was given, that is an error and no endless wait. It does wait for
  // a device's result.
  Descriptor operation(accept4(algorithm.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return operation.open() ? std::move(operation) : Fail("accept4");
}

size_t ReserveRoom(const Descriptor& operation, size_t length) {
  static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t room = SIZE_MAX;
  for (const int name : {SO_SNDBUF, SO_RCVBUF}) {
    // The kernel counts whole pages, and begins no page when less than one is left.
    const int wanted = static_cast<int>(std::min(length + 2 * page, size_t{1} << 24));
    int size = 0;
    for (bool asked = false;; asked = true) {
      socklen_t size_length = sizeof size;
      if (getsockopt(operation.get(), SOL_SOCKET, name, &size, &size_length) != 0) size = 0;
      if (asked || size >= wanted) break;
      setsockopt(operation.get(), SOL_SOCKET, name, &wanted, sizeof wanted);
    }
    const size_t pages = static_cast<size_t>(size) / page;
    room = std::min(room, pages > 1 ? (pages - 1) * page : page);
  }
  return room;
}

bool Send(const Descriptor& operation, const CipherInfo& info, bool encrypt, const Record& record) {
  const bool aead = info.mode == CipherMode::kAead;
  iovec parts[3];
  size_t count = 0, length = 0;
  const auto add = [&](const uint8_t* bytes, size_t n) {
    if (n == 0) return;
    parts[count].iov_base = const_cast<uint8_t*>(bytes);
    parts[count++].iov_len = n;
    length += n;
  };
  if (aead) add(record.aad, record.aad_length);
  add(record.in, record.length);
  if (aead && encrypt) add(record.tail, record.tail_length);
  if (aead && !encrypt) add(record.sent_tag, info.tag_length);

  uint8_t iv[kMaxKernelIv];
  const size_t iv_length = KernelIv(info, record.nonce, iv);
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  Control control(&message);
  control.Add(ALG_SET_OP, encrypt ? ALG_OP_ENCRYPT : ALG_OP_DECRYPT);
  control.Add(ALG_SET_IV, iv_length, iv, iv_length);
  if (aead) control.Add(ALG_SET_AEAD_ASSOCLEN, record.aad_length);
  const ssize_t sent = sendmsg(operation.get(), &message, MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(length)) return true;
  LastFailure() = {"sendmsg", sent < 0 ? errno : EMSGSIZE};
  return false;
}

void Result::Set(const CipherInfo& info, bool encrypt, const Record& record, uint8_t* out, uint8_t* tag) {
  static_assert(sizeof aad_ >= 8 + 32, "kMaxAssociated");
  count_ = length_ = 0;
  const auto add = [&](uint8_t* bytes, size_t n) {
    length_ += n;
    if (n == 0) return;
    parts_[count_].iov_base = bytes;
    parts_[count_++].iov_len = n;
  };
  if (info.mode != CipherMode::kAead) return add(out, record.length);
  add(aad_, record.aad_length);
  if (!encrypt) return add(out, record.length);
  const size_t length = record.length + record.tail_length;
  if (tag == out + length) return add(out, length + info.tag_length);  // each part costs the kernel a thousand instructions
  add(out, length);
  add(tag, info.tag_length);
}

Outcome Result::Judge(const CipherInfo& info, bool encrypt, int64_t returned) const {
  // Anything but all of it is a failure: a short result would be that of a shorter record.
  if (returned == static_cast<int64_t>(length_)) return Outcome::kDone;
  if (returned == -EBADMSG && info.mode == CipherMode::kAead && !encrypt) return Outcome::kNotAuthentic;
  LastFailure() = {"recvmsg", returned < 0 ? static_cast<int>(-returned) : EMSGSIZE};
  return Outcome::kFailed;
}

Outcome Receive(const Descriptor& operation, const CipherInfo& info, bool encrypt, const Record& record) {
  Result result;
  result.Set(info, encrypt, record, record.out, record.tag);
  msghdr message = {};
  message.msg_iov = result.parts();
  message.msg_iovlen = result.count();
  const ssize_t n = recvmsg(operation.get(), &message, 0);
  return result.Judge(info, encrypt, n < 0 ? -static_cast<int64_t>(errno) : n);
}

}  // namespace so_crypt::af_alg
#endif
