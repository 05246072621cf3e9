// SPDX-License-Identifier: MIT
#include "relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace so_crypt {
namespace {

constexpr uint8_t kHandshakeType = 22, kDataType = 23;
constexpr uint8_t kKeyUpdate = 24;  // RFC 8446 4

// Reads and writes of one turn; then others have theirs.
constexpr int kMostInTurn = 8;

ssize_t Receive(int fd, uint8_t* out, size_t length) {
  ssize_t n;
  do n = recv(fd, out, length, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

ssize_t SendSome(int fd, const uint8_t* bytes, size_t length) {
  ssize_t n;
  do n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// Keeps what begins at `at`, which may be all of nothing.
void Release(std::vector<uint8_t>* bytes) {
  OPENSSL_cleanse(bytes->data(), bytes->size());
  std::vector<uint8_t>().swap(*bytes);
}

}  // namespace

Relay::~Relay() {
  Release(&to_plain_);
  Release(&content_);
  close(plain);
}

News Relay::Tell(News news, int number) {
  number_ = number;
  return news;
}

News Relay::Run(RelayMemory* memory, bool* more) {
  *more = false;
  for (int i = 0; i < kMostInTurn; i++) {
    bool progress = false;
    News news = Write(memory, &progress);
    if (news == News::kNone) news = Read(memory, &progress);
    if (news != News::kNone || !progress) return news;
  }
  *more = true;
  return News::kNone;
}

// Writing

News Relay::Write(RelayMemory* memory, bool* progress) {
  if (write_error_ != 0 && !is_write_over_) {
    is_write_over_ = true;
    return Tell(News::kWriteError, std::exchange(write_error_, 0));
  }
  if (!to_wire_.empty() && !Flush()) return News::kNone;
  if (tells_flushed_) {
    tells_flushed_ = false;
    return Tell(News::kFlushed);
  }
  if (is_write_over_ || !plain_readable_) return News::kNone;
  const ssize_t n = Receive(plain, memory->plain, sizeof memory->plain);
  if (n < 0) {
    plain_readable_ = false;
    if (WouldBlock()) return News::kNone;
  }
  if (n <= 0) {
    // (A reset of the pair is an end, too: its owner has closed it.)
    is_write_over_ = true;
    return Tell(News::kPlainEnd);
  }
  *progress = true;
  plain_written_ += static_cast<size_t>(n);
  // A short read has emptied it, and there will be an event when more comes.
  if (static_cast<size_t>(n) < sizeof memory->plain) plain_readable_ = false;
  return Seal(memory->plain, static_cast<size_t>(n), memory);
}

News Relay::Seal(const uint8_t* bytes, size_t length, RelayMemory* memory) {
  const uint64_t frames = sealer_->frames();
  memory->sealed.clear();
  if (update_after_ > 0 && frames > 0 && frames + length / sealer_->max_fragment() + 1 > update_after_) {
    const SealStatus status = UpdateWriteKey(false, memory);
    if (status != SealStatus::kOk) {
      is_write_over_ = true;
      return Tell(News::kUnsealed, static_cast<int>(status));
    }
  }
  const SealStatus status = SealMore(kDataType, bytes, length, memory);
  OPENSSL_cleanse(memory->plain, 0);
  if (status != SealStatus::kOk) {
    is_write_over_ = true;
    return Tell(News::kUnsealed, static_cast<int>(status));
  }
  return News::kNone;
}

// Seals and sends.
SealStatus Relay::SealMore(uint8_t type, const uint8_t* bytes, size_t length, RelayMemory* memory) {
  const size_t bound = sealer_->Bound(length);
  if (memory->sealed.size() < bound) memory->sealed.resize(bound);
  const Chunk chunk = {bytes, length};
  size_t written = 0;
  const SealStatus status = sealer_->Seal(type, &chunk, 1, memory->sealed.data(), memory->sealed.size(), &written);
  if (status == SealStatus::kOk) Send(memory->sealed.data(), written);
  return status;
}

bool Relay::Send(const uint8_t* bytes, size_t length) {
  if (to_wire_.empty()) {
    while (length > 0 && wire_writable_) {
      const ssize_t n = SendSome(wire, bytes, length);
      if (n < 0) {
        wire_writable_ = false;
        if (!WouldBlock()) write_error_ = errno;
        break;
      }
      bytes += n;
      length -= static_cast<size_t>(n);
    }
    if (length == 0) return true;
  }
  to_wire_.insert(to_wire_.end(), bytes, bytes + length);
  return false;
}

bool Relay::Flush() {
  while (wire_writable_ && to_wire_at_ < to_wire_.size()) {
    const ssize_t n = SendSome(wire, to_wire_.data() + to_wire_at_, to_wire_.size() - to_wire_at_);
    if (n < 0) {
      wire_writable_ = false;
      if (!WouldBlock()) write_error_ = errno;
      return false;
    }
    to_wire_at_ += static_cast<size_t>(n);
  }
  if (to_wire_at_ < to_wire_.size()) return false;
  std::vector<uint8_t>().swap(to_wire_);
  to_wire_at_ = 0;
  return true;
}

SealStatus Relay::SendControl(uint8_t type, const uint8_t* content, size_t length, RelayMemory* memory) {
  return SealMore(type, content, length, memory);
}

SealStatus Relay::UpdateWriteKey(bool request, RelayMemory* memory) {
  const uint8_t message[] = {kKeyUpdate, 0, 0, 1, static_cast<uint8_t>(request ? 1 : 0)};
  const SealStatus status = SealMore(kHandshakeType, message, sizeof message, memory);
  if (status != SealStatus::kOk) return status;
  if (!sealer_->UpdateKey()) return SealStatus::kProvider;
  write_key_updates_++;
  return SealStatus::kOk;
}

void Relay::Drain(RelayMemory* memory) {
  wire_writable_ = plain_readable_ = true;
  while (write_error_ == 0) {
    bool progress = false;
    if (Write(memory, &progress) != News::kNone || !progress) return;
    plain_readable_ = true;
  }
}

// Reading

void Relay::Feed(const uint8_t* bytes, size_t length) { unopened_.insert(unopened_.end(), bytes, bytes + length); }

News Relay::Read(RelayMemory* memory, bool* progress) {
  while (plain_writable_ && to_plain_at_ < to_plain_.size()) {
    const ssize_t n = SendSome(plain, to_plain_.data() + to_plain_at_, to_plain_.size() - to_plain_at_);
    if (n < 0) {
      plain_writable_ = false;
      // The owner has closed its end and wants nothing more.
      if (!WouldBlock()) is_read_over_ = true, to_plain_at_ = to_plain_.size();
      break;
    }
    to_plain_at_ += static_cast<size_t>(n);
  }
  if (to_plain_at_ < to_plain_.size()) return News::kNone;
  if (!to_plain_.empty()) {
    Release(&to_plain_);
    to_plain_at_ = 0;
  }
  if (ends_plain_ && !has_plain_ended_) {
    has_plain_ended_ = true;
    shutdown(plain, SHUT_WR);
  }
  if (is_read_over_ || is_held_) return News::kNone;
  if (!unopened_.empty()) {
    const std::vector<uint8_t> bytes = std::move(unopened_);
    unopened_.clear();
    *progress = true;
    return Open(bytes.data(), bytes.size(), memory);
  }
  if (!wire_readable_) return News::kNone;
  const ssize_t n = Receive(wire, memory->in, sizeof memory->in);
  if (n < 0 && WouldBlock()) {
    wire_readable_ = false;
    return News::kNone;
  }
  if (n <= 0) {
    is_read_over_ = true;
    return n == 0 ? Tell(News::kFin, static_cast<int>(opener_->stashed())) : Tell(News::kReadError, errno);
  }
  *progress = true;
  return Open(memory->in, static_cast<size_t>(n), memory);
}

News Relay::Open(const uint8_t* bytes, size_t length, RelayMemory* memory) {
  for (size_t at = 0;;) {
    const OpenResult result = opener_->Open(bytes + at, length - at, memory->opened, sizeof memory->opened);
    at += result.consumed;
    if (result.produced > 0) Deliver(memory->opened, result.produced);
    switch (result.status) {
      case OpenStatus::kNeedMore:
        return News::kNone;
      case OpenStatus::kCapacity:
        if (result.produced > 0) continue;
        is_read_over_ = true;
        return Tell(News::kUnopened, static_cast<int>(OpenStatus::kOverflow));
      case OpenStatus::kControl: {
        const uint8_t* const content = memory->opened + result.produced;
        type_ = result.type;
        content_.assign(content, content + result.control_length);
        unopened_.assign(bytes + at, bytes + length);
        is_held_ = true;
        return Tell(News::kControl);
      }
      default:
        is_read_over_ = true;
        return Tell(News::kUnopened, static_cast<int>(result.status));
    }
  }
}

void Relay::Deliver(const uint8_t* bytes, size_t length) {
  plain_read_ += length;
  if (to_plain_.empty()) {
    while (length > 0 && plain_writable_) {
      const ssize_t n = SendSome(plain, bytes, length);
      if (n < 0) {
        plain_writable_ = false;
        break;  // whatever it is, it shows again
      }
      bytes += n;
      length -= static_cast<size_t>(n);
    }
  }
  to_plain_.insert(to_plain_.end(), bytes, bytes + length);
}

}  // namespace so_crypt
