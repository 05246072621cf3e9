// SPDX-License-Identifier: MIT
// A listening socket in the epoll(7) of a loop, whose thread accepts its connections.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "descriptor.h"
#include "tls_context.h"

namespace so_crypt {

class Acceptor {
 public:
  using Clock = std::chrono::steady_clock;

  // From another thread, both. `fd` must be open until Close(); `data` is what epoll gives back. 0 or -errno.
  int Open(int epoll, int fd, std::shared_ptr<TlsContext> context, void* data);
  // Behind it nothing is accepted any more.
  void Close();

  // How many so far, whichever the socket.
  uint64_t accepted() const { return accepted_; }

  // From the loop's thread, all that follows. The next connection; none: there is none now, or none can be had.
  Descriptor Accept(std::shared_ptr<TlsContext>* context);
  // For a while.
  void Pause();
  // -1: it has no pause.
  int MillisecondsToWait() const;
  void OnTime();

 private:
  int Watch(int how);

  // Against Close().
  std::mutex mutex_;
  int epoll_ = -1;
  int fd_ = -1;
  void* data_ = nullptr;
  std::shared_ptr<TlsContext> context_;
  std::atomic<uint64_t> accepted_{0};
  std::atomic<bool> is_paused_{false};
  Clock::time_point resume_;
};

}  // namespace so_crypt
