// SPDX-License-Identifier: MIT
// Tells when sockets can be read or written, beside libuv's own watch of their descriptors.
//
// Edge-triggered, with an epoll(7) of our own that libuv watches: under kTLS the beginning of a record makes a socket readable for
// level-triggered polls (seen on Linux 6.1), although nothing can be read before the whole record is there, and a loop that asked
// again and again would keep the processor busy until then. An edge comes when a record is complete.
#pragma once
#include <sys/epoll.h>
#include <uv.h>

#include <cstdint>
#include <functional>

namespace so_crypt {

class Readiness {
 public:
  static constexpr int kMostEvents = 64;

  // Gets what epoll_wait(2) answers, at most kMostEvents; data.u64 is the id given to Watch().
  using Callback = std::function<void(const epoll_event* events, int count)>;

  // Null: no descriptor is left (EMFILE); *error is -errno.
  static Readiness* Open(uv_loop_t* loop, Callback callback, int* error);

  // One event for each time that the socket becomes readable (and writable, if asked), and one at once for what it is now. Closing the
  // descriptor ends it, too. 0, or -errno.
  int Watch(int fd, uint64_t id, bool writable, bool is_known);
  void Forget(int fd);

  // Whether it keeps the event loop running.
  void SetRef(bool on);

  // `closed` runs when the event loop has let go of it, and then it is gone.
  void Close(std::function<void()> closed);

 private:
  Readiness() = default;
  ~Readiness() = default;
  static void OnEvent(uv_poll_t* handle, int status, int events);
  static void OnClose(uv_handle_t* handle);

  uv_poll_t handle_;
  int epoll_;
  Callback callback_;
  std::function<void()> closed_;
};

}  // namespace so_crypt
