// SPDX-License-Identifier: MIT
#include "readiness.h"

#include <unistd.h>

#include <utility>

namespace so_crypt {

Readiness* Readiness::Open(uv_loop_t* loop, Callback callback, int* error) {
  const int queue = OpenQueue();
  if (queue < 0) {
    *error = queue;
    return nullptr;
  }
  Readiness* const self = new Readiness();
  *error = uv_poll_init(loop, &self->handle_, queue);
  if (*error != 0) {
    close(queue);
    delete self;
    return nullptr;
  }
  self->handle_.data = self;
  self->queue_ = queue;
  self->callback_ = std::move(callback);
  uv_poll_start(&self->handle_, UV_READABLE, OnEvent);
  self->SetRef(false);
  return self;
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
  Ready ready[kMostEvents];
  const int count = self->Collect(ready);
  // A copy: the callback may close.
  const Callback callback = self->callback_;
  if (count > 0 && callback) callback(ready, count);
}

void Readiness::OnClose(uv_handle_t* handle) {
  Readiness* const self = static_cast<Readiness*>(handle->data);
  const std::function<void()> closed = std::move(self->closed_);
  close(self->queue_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
