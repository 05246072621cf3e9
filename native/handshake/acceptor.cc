// SPDX-License-Identifier: MIT
#include "acceptor.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace so_crypt {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);

}  // namespace

int Acceptor::Open(int epoll, int fd, std::shared_ptr<TlsContext> context, void* data) {
  const std::lock_guard<std::mutex> lock(mutex_);
  epoll_ = epoll;
  fd_ = fd;
  data_ = data;
  context_ = std::move(context);
  is_paused_ = false;
  return Watch(EPOLL_CTL_ADD);
}

void Acceptor::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ >= 0 && !is_paused_) Watch(EPOLL_CTL_DEL);
  fd_ = -1;
  is_paused_ = false;
  context_.reset();
}

// One of the threads that wait for it is enough.
int Acceptor::Watch(int how) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  event.data.ptr = data_;
  return epoll_ctl(epoll_, how, fd_, &event) == 0 ? 0 : -errno;
}

Descriptor Acceptor::Accept(std::shared_ptr<TlsContext>* context) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ < 0) return {};
    Descriptor accepted;
    do accepted = Descriptor(accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    while (!accepted && (errno == EINTR || errno == ECONNABORTED));
    if (accepted) {
      accepted_++;
      *context = context_;
      return accepted;
    }
    if (errno == EAGAIN) return {};
  }
  // As when the process has no descriptor left. It would be told again at once, and again.
  Pause();
  return {};
}

void Acceptor::Pause() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ < 0 || is_paused_) return;
  Watch(EPOLL_CTL_DEL);
  is_paused_ = true;
  resume_ = Clock::now() + kPause;
}

int Acceptor::MillisecondsToWait() const {
  if (!is_paused_) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(resume_ - Clock::now()).count() + 1;
  return static_cast<int>(std::max<decltype(left + 0)>(left, 0));
}

void Acceptor::OnTime() {
  if (!is_paused_ || Clock::now() < resume_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ < 0 || !is_paused_) return;
  is_paused_ = false;
  Watch(EPOLL_CTL_ADD);
}

}  // namespace so_crypt
