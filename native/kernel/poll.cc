// SPDX-License-Identifier: MIT
#include "poll.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace so_crypt {

Poll* Poll::Open(uv_loop_t* loop, int fd, Callback callback, int* error) {
  const int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) {
    *error = -errno;
    return nullptr;
  }
  Poll* const poll = new Poll();
  *error = uv_poll_init(loop, &poll->handle_, duplicate);
  if (*error != 0) {
    close(duplicate);
    delete poll;
    return nullptr;
  }
  poll->handle_.data = poll;
  poll->fd_ = duplicate;
  poll->callback_ = std::move(callback);
  return poll;
}

int Poll::Watch(int events) { return events == 0 ? uv_poll_stop(&handle_) : uv_poll_start(&handle_, events, OnEvent); }

void Poll::SetRef(bool on) {
  uv_handle_t* const handle = reinterpret_cast<uv_handle_t*>(&handle_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Poll::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  callback_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), OnClose);
  close(fd_);
}

void Poll::OnEvent(uv_poll_t* handle, int status, int events) {
  Poll* const self = static_cast<Poll*>(handle->data);
  // A copy: the callback may close the Poll.
  const Callback callback = self->callback_;
  if (callback) callback(status, events);
}

void Poll::OnClose(uv_handle_t* handle) {
  Poll* const self = static_cast<Poll*>(handle->data);
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
