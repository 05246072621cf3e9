// SPDX-License-Identifier: MIT
#include "relay.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "../send_now.h"

namespace so_crypt {
namespace {

constexpr uint8_t kApplicationData = 23;

// Rounds of reading and writing in one turn.
constexpr int kMostInTurn = 8;

// Bytes, 0 at the end, or -errno.
ssize_t ReceiveNow(int fd, uint8_t* out, size_t length) {
  ssize_t count;
  do count = recv(fd, out, length, MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

bool WouldBlock(ssize_t result) { return result == -EAGAIN || result == -EWOULDBLOCK; }

// An idle connection keeps no memory.
void Clear(std::vector<uint8_t>* bytes, size_t* at) {
  std::vector<uint8_t>().swap(*bytes);
  *at = 0;
}

}  // namespace

Relay::~Relay() {
  close(wire);
  close(plain);
}

void Relay::OnReady(bool is_plain, bool readable, bool writable, bool ended) {
  (is_plain ? plain_readable_ : wire_readable_) |= readable;
  (is_plain ? plain_writable_ : wire_writable_) |= writable;
  if (is_plain && ended) sees_plain_end_ = true;
  // (Each time that its owner has read something.)
  if (is_plain && writable && has_plain_ended_) asks_plain_ = true;
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

News Relay::EndWritingWith(News news, int number) {
  is_write_over_ = true;
  number_ = number;
  return news;
}

News Relay::Write(RelayMemory* memory, bool* progress) {
  const bool is_flushed = Flush();
  if (write_error_ != 0) return EndWritingWith(News::kWriteError, std::exchange(write_error_, 0));
  if (!is_flushed) return News::kNone;
  if (tells_flushed_) {
    tells_flushed_ = false;
    return News::kFlushed;
  }
  if (is_write_over_ || !plain_readable_) return News::kNone;
  const Sealer* const sealer = sealer_->get();
  if (sealer == nullptr) return EndWritingWith(News::kUnsealed, static_cast<int>(SealStatus::kLimit));
  size_t most = sizeof memory->plain;
  if (key_due_ > 0) {
    most = static_cast<size_t>(std::min<uint64_t>(most, key_due_ * sealer->max_fragment()));
    const uint64_t frames = sealer->frames();
    const uint64_t next = (most + sealer->max_fragment() - 1) / sealer->max_fragment();
    if (frames > 0 && frames + next > key_due_) {
      if (is_key_due_) return News::kNone;
      is_key_due_ = true;
      return News::kKeyDue;
    }
    is_key_due_ = false;
  }
  const ssize_t count = ReceiveNow(plain, memory->plain, most);
  // (A pair that is reset has ended, too: its owner has closed it.)
  if (count == 0 || (count < 0 && !WouldBlock(count))) return EndWritingWith(News::kPlainEnd, 0);
  // What is not full was all there is; there will be an event when more comes, but none for an end that is there already.
  if (count < 0 || (count < static_cast<ssize_t>(most) && !sees_plain_end_)) plain_readable_ = false;
  if (count < 0) return News::kNone;
  *progress = true;
  bytes_written_ += static_cast<size_t>(count);
  return Seal(static_cast<size_t>(count), memory);
}

News Relay::Seal(size_t length, RelayMemory* memory) {
  Sealer* const sealer = sealer_->get();
  std::vector<uint8_t>& sealed = memory->sealed;
  if (sealed.size() < sealer->Bound(length)) sealed.resize(sealer->Bound(length));
  const Chunk chunk = {memory->plain, length};
  size_t written = 0;
  const SealStatus status = sealer->Seal(kApplicationData, &chunk, 1, sealed.data(), sealed.size(), &written);
  if (status != SealStatus::kOk) return EndWritingWith(News::kUnsealed, static_cast<int>(status));
  Send(sealed.data(), written);
  tells_flushed_ = false;
  return News::kNone;
}

bool Relay::Send(const uint8_t* records, size_t length) {
  if (to_wire_.empty()) {
    while (length > 0 && wire_writable_ && write_error_ == 0) {
      const ssize_t count = SendNow(wire, records, length, false);
      if (count < 0) {
        wire_writable_ = false;
        if (!WouldBlock(count)) write_error_ = static_cast<int>(count);
        break;
      }
      records += count;
      length -= static_cast<size_t>(count);
    }
    if (length == 0) return true;
  }
  to_wire_.insert(to_wire_.end(), records, records + length);
  tells_flushed_ = true;
  return false;
}

// False: there is something left.
bool Relay::Flush() {
  while (wire_writable_ && to_wire_at_ < to_wire_.size()) {
    const ssize_t count = SendNow(wire, to_wire_.data() + to_wire_at_, to_wire_.size() - to_wire_at_, false);
    if (count < 0) {
      wire_writable_ = false;
      if (!WouldBlock(count)) write_error_ = static_cast<int>(count);
      return false;
    }
    to_wire_at_ += static_cast<size_t>(count);
  }
  if (to_wire_at_ < to_wire_.size()) return false;
  if (!to_wire_.empty()) Clear(&to_wire_, &to_wire_at_);
  return true;
}

void Relay::Drain(RelayMemory* memory) {
  wire_writable_ = plain_readable_ = true;
  for (bool progress = true; progress; plain_readable_ = true) {
    progress = false;
    const News news = Write(memory, &progress);
    if (news == News::kFlushed) progress = true;
    else if (news != News::kNone) return;
  }
}

// Reading

News Relay::EndReadingWith(News news, int number) {
  is_read_over_ = true;
  number_ = number;
  return news;
}

void Relay::ReadOn(bool no_data) {
  is_held_ = false;
  no_data_ = no_data;
}

News Relay::Read(RelayMemory* memory, bool* progress) {
  if (!FlushPlain()) return News::kNone;
  if (plain_error_ != 0) return EndReadingWith(News::kReadError, std::exchange(plain_error_, 0));
  if (ends_plain_ && !has_plain_ended_) {
    has_plain_ended_ = asks_plain_ = true;
    shutdown(plain, SHUT_WR);
  }
  if (asks_plain_) {
    asks_plain_ = false;
    int unread = 0;
    ioctl(plain, SIOCOUTQ, &unread);
    if (unread == 0) has_plain_ended_ = ends_plain_ = false;  // told once
    return unread == 0 ? News::kPlainRead : News::kPlainLeft;
  }
  if (is_read_over_ || is_held_) return News::kNone;
  if (!unopened_.empty()) {
    const std::vector<uint8_t> bytes = std::move(unopened_);
    unopened_.clear();
    *progress = true;
    return Open(bytes.data(), bytes.size(), memory);
  }
  if (!wire_readable_) return News::kNone;
  const ssize_t count = ReceiveNow(wire, memory->read, sizeof memory->read);
  if (WouldBlock(count)) {
    wire_readable_ = false;
    return News::kNone;
  }
  if (count == 0) return EndReadingWith(News::kFin, 0);
  if (count < 0) return EndReadingWith(News::kReadError, static_cast<int>(count));
  *progress = true;
  return Open(memory->read, static_cast<size_t>(count), memory);
}

News Relay::Open(const uint8_t* bytes, size_t length, RelayMemory* memory) {
  Opener* const opener = opener_->get();
  if (opener == nullptr) return EndReadingWith(News::kUnopened, static_cast<int>(OpenStatus::kLimit));
  for (size_t at = 0;;) {
    const OpenResult result = opener->Open(bytes + at, length - at, memory->opened, sizeof memory->opened);
    at += result.consumed;
    if (result.produced > 0) {
      if (no_data_) return EndReadingWith(News::kMisplaced, 0);
      has_data_ = true;
      Deliver(memory->opened, result.produced);
    }
    if (result.status == OpenStatus::kNeedMore) return News::kNone;
    if (result.status == OpenStatus::kControl) {
      const uint8_t* const content = memory->opened + result.produced;
      type_ = result.type;
      content_.assign(content, content + result.control_length);
      unopened_.assign(bytes + at, bytes + length);
      is_held_ = true;
      return News::kControl;
    }
    if (result.status != OpenStatus::kCapacity || result.produced == 0)
      return EndReadingWith(News::kUnopened, static_cast<int>(result.status));
  }
}

void Relay::Deliver(const uint8_t* bytes, size_t length) {
  bytes_read_ += length;
  while (to_plain_.empty() && length > 0 && plain_writable_) {
    const ssize_t count = SendNow(plain, bytes, length, false);
    if (count < 0) {
      plain_writable_ = !WouldBlock(count);
      break;
    }
    bytes += count;
    length -= static_cast<size_t>(count);
  }
  to_plain_.insert(to_plain_.end(), bytes, bytes + length);
}

// False: there is something left.
bool Relay::FlushPlain() {
  while (plain_writable_ && to_plain_at_ < to_plain_.size()) {
    const ssize_t count = SendNow(plain, to_plain_.data() + to_plain_at_, to_plain_.size() - to_plain_at_, false);
    if (WouldBlock(count)) {
      plain_writable_ = false;
      return false;
    }
    if (count < 0) {
      // Its owner has closed it, and wants nothing more; else something is lost, and that must be told.
      if (count != -EPIPE && count != -ECONNRESET) plain_error_ = static_cast<int>(count);
      is_read_over_ = true;
    }
    to_plain_at_ = count < 0 ? to_plain_.size() : to_plain_at_ + static_cast<size_t>(count);
  }
  if (to_plain_at_ < to_plain_.size()) return false;
  if (!to_plain_.empty()) Clear(&to_plain_, &to_plain_at_);
  return true;
}

}  // namespace so_crypt
