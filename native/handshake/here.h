// SPDX-License-Identifier: MIT
// Handshakes in the thread of an event loop, which goes on with them when their epoll(7) has something: as with sockets of libuv's own, but
// no longer than a millisecond or one step of one handshake at a time.
#pragma once
#include <uv.h>

#include <functional>
#include <memory>

#include "loop.h"

namespace so_crypt {

class HandshakesHere {
 public:
  // Null: no descriptor is left; *error is -errno. on_news: there is something to take; called by the event loop, never from Begin() or Abort().
  static HandshakesHere* Open(uv_loop_t* loop, const LoopOptions& options, std::function<void()> on_news, int* error);

  void Begin(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(uint32_t id);
  std::vector<Told> Take() { return outlet_.Take(); }

  // Whether it keeps the event loop running.
  void SetRef(bool on);

  // `closed` runs when the event loop has let go of it, and then it is gone.
  void Close(std::function<void()> closed);

 private:
  HandshakesHere(const LoopOptions& options, std::function<void()> on_news);
  ~HandshakesHere() = default;

  static void OnReady(uv_poll_t* handle, int status, int events);
  static void OnTimer(uv_timer_t* handle);
  static void OnClose(uv_handle_t* handle);
  void GoOn();
  void SetTimer(bool has_news);

  Outlet outlet_;
  HandshakeLoop loop_;
  std::function<void()> on_news_;
  uv_poll_t poll_;
  uv_timer_t timer_;
  uint64_t timer_end_ = 0;  // by uv_now()
  int open_ = 2;            // handles
  std::function<void()> closed_;
};

}  // namespace so_crypt
