// SPDX-License-Identifier: MIT
#include "readiness.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace so_crypt {

Readiness* Readiness::Open(uv_loop_t* loop, Callback callback, int* error) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    *error = -errno;
    return nullptr;
  }
  Readiness* const self = new Readiness();
  *error = uv_poll_init(loop, &self->handle_, epoll);
  if (*error != 0) {
    close(epoll);
    delete self;
    return nullptr;
  }
  self->handle_.data = self;
  self->epoll_ = epoll;
  self->callback_ = std::move(callback);
  uv_poll_start(&self->handle_, UV_READABLE, OnEvent);
  self->SetRef(false);
  return self;
}

int Readiness::Watch(int fd, uint64_t id, bool writable, bool is_known) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (writable ? EPOLLOUT : 0u);
  event.data.u64 = id;
  return epoll_ctl(epoll_, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void Readiness::Forget(int fd) {
  epoll_event unused = {};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &unused);
}

void Readiness::SetRef(bool on) {
  uv_handle_t* const handle = reinterpret_cast<uv_handle_t*>(&handle_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Readiness::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  callback_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), OnClose);
}

void Readiness::OnEvent(uv_poll_t* handle, int, int) {
  Readiness* const self = static_cast<Readiness*>(handle->data);
  epoll_event events[kMostEvents];
  const int count = epoll_wait(self->epoll_, events, kMostEvents, 0);
  // A copy: the callback may close.
  const Callback callback = self->callback_;
  if (count > 0 && callback) callback(events, count);
}

void Readiness::OnClose(uv_handle_t* handle) {
  Readiness* const self = static_cast<Readiness*>(handle->data);
  const std::function<void()> closed = std::move(self->closed_);
  close(self->epoll_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
