// SPDX-License-Identifier: MIT
// Tells when sockets can be read or written, beside libuv's own watch of their descriptors.
//
// Edge-triggered, with an epoll(7) or kqueue(2) of our own that libuv watches: under kTLS the beginning of a record makes a socket
// readable for level-triggered polls (seen on Linux 6.1), although nothing can be read before the whole record is there, and a loop that
// asked again and again would keep the processor busy until then. An edge comes when a record is complete.
#pragma once
#include <uv.h>

#include <cstdint>
#include <functional>

namespace so_crypt {

// A socket that is ready. An error, or the end, makes it readable and writable.
struct Ready {
  enum : uint32_t { kReadable = 1, kWritable = 2 };  // as in lib/kernel/readiness.ts

  uint32_t id;  // as given to Watch()
  uint32_t mask;
};

class Readiness {
 public:
  static constexpr int kMostEvents = 64;

  // At most kMostEvents; the same socket may be among them twice.
  using Callback = std::function<void(const Ready* ready, int count)>;

  // Null: no descriptor is left (EMFILE); *error is -errno.
  static Readiness* Open(uv_loop_t* loop, Callback callback, int* error);

  // One event for each time that the socket becomes readable (and writable, if asked), and one at once for what it is now. Closing the
  // descriptor ends it, too. 0, or -errno.
  int Watch(int fd, uint32_t id, bool writable, bool is_known);
  void Forget(int fd);

  // Whether it keeps the event loop running.
  void SetRef(bool on);

  // `closed` runs when the event loop has let go of it, and then it is gone.
  void Close(std::function<void()> closed);

 private:
  Readiness() = default;
  ~Readiness() = default;
  // Of the system: with Watch() and Forget() in readiness_epoll.cc and readiness_kqueue.cc.
  static int OpenQueue();         // a descriptor, or -errno
  int Collect(Ready* ready) const;  // how many, without waiting

  static void OnEvent(uv_poll_t* handle, int status, int events);
  static void OnClose(uv_handle_t* handle);

  uv_poll_t handle_;
  int queue_;
  Callback callback_;
  std::function<void()> closed_;
};

}  // namespace so_crypt
