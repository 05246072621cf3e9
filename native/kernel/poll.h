// SPDX-License-Identifier: MIT
// Tells when a socket can be read or written. libuv watches the socket's own descriptor; two watchers of one descriptor it does not
// allow, so this one watches a duplicate.
#pragma once
#include <uv.h>

#include <functional>

namespace so_crypt {

class Poll {
 public:
  using Callback = std::function<void(int status, int events)>;

  // Null: no descriptor is left (EMFILE) or it can't be watched; *error is -errno.
  static Poll* Open(uv_loop_t* loop, int fd, Callback callback, int* error);

  // UV_READABLE | UV_WRITABLE, or 0 for neither.
  int Watch(int events);

  // Whether a watch keeps the event loop running.
  void SetRef(bool on);

  // Closes the duplicate at once, so that the socket's own close() is what the peer sees. `closed` runs when the event loop has let go
  // of it, and then the Poll is gone.
  void Close(std::function<void()> closed);

 private:
  Poll() = default;
  ~Poll() = default;
  static void OnEvent(uv_poll_t* handle, int status, int events);
  static void OnClose(uv_handle_t* handle);

  uv_poll_t handle_;
  int fd_;
  Callback callback_;
  std::function<void()> closed_;
};

}  // namespace so_crypt
