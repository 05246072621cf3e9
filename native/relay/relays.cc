// SPDX-License-Identifier: MIT
#include "relays.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace so_crypt {
namespace {

constexpr int kMostEvents = 64;

template <typename T>
uv_handle_t* Base(T* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

// An event tells the relay's number and which of its descriptors it is.
uint64_t TagOf(uint32_t id, bool is_plain) { return uint64_t{id} << 1 | (is_plain ? 1 : 0); }

}  // namespace

Relays* Relays::Open(uv_loop_t* loop, OnNews on_news, int* error) {
  Relays* const self = new Relays(std::move(on_news));
  self->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  *error = self->epoll_ < 0 ? -errno : uv_poll_init(loop, &self->poll_, self->epoll_);
  if (*error != 0) {
    delete self;
    return nullptr;
  }
  uv_idle_init(loop, &self->idle_);
  uv_unref(Base(&self->idle_));
  self->poll_.data = self->idle_.data = self;
  uv_poll_start(&self->poll_, UV_READABLE, OnReady);
  self->SetRef(false);
  return self;
}

Relays::~Relays() {
  if (epoll_ >= 0) close(epoll_);
}

// Edge-triggered: events come for what is there already, and then for changes, which a relay remembers as long as it can't go on.
int Relays::Add(uint32_t id, std::unique_ptr<Relay> relay) {
  for (const bool is_plain : {false, true}) {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = TagOf(id, is_plain);
    // (Descriptors leave the epoll when they are closed; the connection's as its other one stays open, by EPOLL_CTL_DEL.)
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, is_plain ? relay->plain : relay->wire, &event) == 0) continue;
    const int error = -errno;
    if (is_plain) epoll_ctl(epoll_, EPOLL_CTL_DEL, relay->wire, nullptr);
    return error;
  }
  all_.emplace(id, Entry{std::move(relay), uv_now(poll_.loop), false});
  return 0;
}

Relay* Relays::Find(uint32_t id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second.relay.get();
}

uint64_t Relays::IdleTime(uint32_t id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? 0 : uv_now(poll_.loop) - found->second.last_bytes;
}

void Relays::MakeReady(uint32_t id, Entry* entry) {
  if (!entry->is_ready) ready_.push_back(id);
  entry->is_ready = true;
}

void Relays::Wake(uint32_t id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  MakeReady(id, &found->second);
  uv_idle_start(&idle_, OnIdle);
}

void Relays::Remove(uint32_t id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  Relay* const relay = found->second.relay.get();
  relay->Drain(&memory_);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, relay->wire, nullptr);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, relay->plain, nullptr);
  all_.erase(found);
}

void Relays::Drain() {
  for (auto& [id, entry] : all_) entry.relay->Drain(&memory_);
}

void Relays::OnReady(uv_poll_t* handle, int, int) {
  Relays* const self = static_cast<Relays*>(handle->data);
  epoll_event events[kMostEvents];
  const int count = epoll_wait(self->epoll_, events, kMostEvents, 0);
  for (int i = 0; i < count; i++) {
    const uint32_t id = static_cast<uint32_t>(events[i].data.u64 >> 1);
    const auto found = self->all_.find(id);
    if (found == self->all_.end()) continue;
    // What has failed shows at the next system call.
    const bool is_broken = (events[i].events & (EPOLLHUP | EPOLLERR)) != 0;
    const bool is_ended = is_broken || (events[i].events & EPOLLRDHUP) != 0;
    found->second.relay->OnReady((events[i].data.u64 & 1) != 0, is_ended || (events[i].events & EPOLLIN) != 0,
                                 is_broken || (events[i].events & EPOLLOUT) != 0, is_ended);
    self->MakeReady(id, &found->second);
  }
  self->RunReady();
}

void Relays::OnIdle(uv_idle_t* handle) { static_cast<Relays*>(handle->data)->RunReady(); }

void Relays::RunReady() {
  uv_idle_stop(&idle_);
  std::vector<uint32_t> ready;
  ready.swap(ready_);
  for (const uint32_t id : ready) {
    const auto found = all_.find(id);
    if (found == all_.end()) continue;
    Entry* const entry = &found->second;
    Relay* const relay = entry->relay.get();
    entry->is_ready = false;
    const uint64_t before = relay->bytes_read() + relay->bytes_written();
    bool more;
    const News news = relay->Run(&memory_, &more);
    if (relay->bytes_read() + relay->bytes_written() != before) entry->last_bytes = uv_now(poll_.loop);
    if (more || news != News::kNone) Wake(id);
    if (news == News::kNone) continue;
    // Last: whoever hears of it may remove the relay, add others, or close this.
    on_news_(id, relay, news);
    if (is_closing_) return;
  }
}

void Relays::SetRef(bool on) {
  if (on) uv_ref(Base(&poll_));
  else uv_unref(Base(&poll_));
}

void Relays::Close(std::function<void()> closed) {
  is_closing_ = true;
  closed_ = std::move(closed);
  Drain();
  all_.clear();
  uv_close(Base(&poll_), OnClose);
  uv_close(Base(&idle_), OnClose);
}

void Relays::OnClose(uv_handle_t* handle) {
  Relays* const self = static_cast<Relays*>(handle->data);
  if (--self->open_ > 0) return;
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
