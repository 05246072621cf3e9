// SPDX-License-Identifier: MIT
#include "here.h"

#include <utility>

namespace so_crypt {
namespace {

// What else waits for the event loop must not wait for many handshakes. What is ready stays so, and its turn comes.
constexpr auto kTurn = std::chrono::milliseconds(1);
constexpr int kMostInTurn = 16;

template <typename T>
uv_handle_t* Base(T* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

HandshakesHere::HandshakesHere(const LoopOptions& options, std::function<void()> on_news)
    : outlet_([] {}), loop_(options, &outlet_), on_news_(std::move(on_news)) {}

HandshakesHere* HandshakesHere::Open(uv_loop_t* loop, const LoopOptions& options, std::function<void()> on_news, int* error) {
  HandshakesHere* const self = new HandshakesHere(options, std::move(on_news));
  *error = self->loop_.Open();
  if (*error == 0) *error = uv_poll_init(loop, &self->poll_, self->loop_.descriptor());
  if (*error != 0) {
    delete self;
    return nullptr;
  }
  uv_timer_init(loop, &self->timer_);
  uv_unref(Base(&self->timer_));
  self->poll_.data = self->timer_.data = self;
  uv_poll_start(&self->poll_, UV_READABLE, OnReady);
  self->SetRef(false);
  return self;
}

void HandshakesHere::Begin(uint32_t id, int fd, std::shared_ptr<TlsContext> context) {
  loop_.Begin(id, fd, std::move(context));
  SetTimer(!outlet_.empty());
}

void HandshakesHere::Abort(uint32_t id) {
  loop_.Abort(id);
  loop_.BeginWaiting();
  SetTimer(!outlet_.empty());
}

void HandshakesHere::SetRef(bool on) {
  if (on) uv_ref(Base(&poll_));
  else uv_unref(Base(&poll_));
}

void HandshakesHere::OnReady(uv_poll_t* handle, int, int) {
  HandshakesHere* const self = static_cast<HandshakesHere*>(handle->data);
  const auto end = Handshake::Clock::now() + kTurn;
  const int count = self->loop_.Wait(0, kMostInTurn);
  for (int i = 0; i < count; i++) {
    self->loop_.Go(i);
    if (Handshake::Clock::now() >= end) break;
  }
  self->GoOn();
}

void HandshakesHere::OnTimer(uv_timer_t* handle) { static_cast<HandshakesHere*>(handle->data)->GoOn(); }

void HandshakesHere::GoOn() {
  loop_.OnTime();
  SetTimer(false);
  // Last: whoever takes it may close this.
  if (!outlet_.empty()) on_news_();
}

// What is told outside of the event loop's calls is news at its next turn. A timer that is earlier than necessary does no harm.
void HandshakesHere::SetTimer(bool has_news) {
  const int ms = has_news ? 0 : loop_.MillisecondsToWait();
  if (ms < 0) return;
  const uint64_t end = uv_now(timer_.loop) + static_cast<uint64_t>(ms);
  if (uv_is_active(Base(&timer_)) && timer_end_ <= end) return;
  timer_end_ = end;
  uv_timer_start(&timer_, OnTimer, static_cast<uint64_t>(ms), 0);
}

void HandshakesHere::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  uv_close(Base(&poll_), OnClose);
  uv_close(Base(&timer_), OnClose);
}

void HandshakesHere::OnClose(uv_handle_t* handle) {
  HandshakesHere* const self = static_cast<HandshakesHere*>(handle->data);
  if (--self->open_ > 0) return;
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
