// SPDX-License-Identifier: MIT
#include "relays.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace so_crypt {
namespace {

// Both descriptors of a relay are told apart by the lowest bit.
constexpr uint64_t TagOf(uint32_t id, bool plain) { return uint64_t{id} << 1 | (plain ? 1 : 0); }

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
  self->poll_.data = self->idle_.data = self;
  uv_poll_start(&self->poll_, UV_READABLE, OnReady);
  self->SetRef(false);
  return self;
}

Relays::~Relays() {
  if (epoll_ >= 0) close(epoll_);
}

int Relays::Add(uint32_t id, std::unique_ptr<Relay> relay) {
  for (const bool plain : {false, true}) {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = TagOf(id, plain);
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, plain ? relay->plain : relay->wire, &event) != 0) {
      const int error = -errno;
      if (plain) epoll_ctl(epoll_, EPOLL_CTL_DEL, relay->wire, nullptr);
      return error;
    }
  }
  all_.emplace(id, std::move(relay));
  return 0;
}

Relay* Relays::Find(uint32_t id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second.get();
}

void Relays::MakeReady(uint32_t id) { ready_.push_back(id); }

void Relays::Wake(uint32_t id) {
  MakeReady(id);
  uv_idle_start(&idle_, OnIdle);
}

void Relays::Remove(uint32_t id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  Relay* const relay = found->second.get();
  relay->Drain(&memory_);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, relay->wire, nullptr);
  all_.erase(found);
}

void Relays::OnReady(uv_poll_t* handle, int, int) {
  Relays* const self = static_cast<Relays*>(handle->data);
  epoll_event events[kMostEvents];
  const int count = epoll_wait(self->epoll_, events, kMostEvents, 0);
  for (int i = 0; i < count; i++) {
    const uint32_t what = events[i].events;
    const bool readable = (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    const bool writable = (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    const uint32_t id = static_cast<uint32_t>(events[i].data.u64 >> 1);
    Relay* const relay = self->Find(id);
    if (relay == nullptr) continue;
    if (events[i].data.u64 & 1) relay->OnPlain(readable, writable);
    else relay->OnWire(readable, writable);
    self->MakeReady(id);
  }
  self->RunReady();
}

void Relays::OnIdle(uv_idle_t* handle) { static_cast<Relays*>(handle->data)->RunReady(); }

void Relays::RunReady() {
  uv_idle_stop(&idle_);
  const std::vector<uint32_t> ready = std::move(ready_);
  ready_.clear();
  for (const uint32_t id : ready) {
    Relay* const relay = Find(id);
    if (relay == nullptr) continue;
    bool more;
    const News news = relay->Run(&memory_, &more);
    if (more || news != News::kNone) Wake(id);
    // Last: whoever hears of it may remove it, or close this.
    if (news != News::kNone) on_news_(id, news);
    if (is_closing_) return;
  }
}

void Relays::SetRef(bool on) {
  if (on) uv_ref(reinterpret_cast<uv_handle_t*>(&poll_));
  else uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
}

void Relays::DrainAll() {
  for (auto& [id, relay] : all_) relay->Drain(&memory_);
}

void Relays::Close(std::function<void()> closed) {
  is_closing_ = true;
  closed_ = std::move(closed);
  DrainAll();
  all_.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClose);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnClose);
}

void Relays::OnClose(uv_handle_t* handle) {
  Relays* const self = static_cast<Relays*>(handle->data);
  if (--self->open_ > 0) return;
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

}  // namespace so_crypt
