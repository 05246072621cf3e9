// SPDX-License-Identifier: MIT
#include "loop.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace so_crypt {
namespace {

// A client that is silent for so long leaves its place to others.
constexpr auto kStale = std::chrono::milliseconds(1000);
// Of those that wait for a place, or for somebody to take outcomes.
constexpr int kWaitingCheckMs = 20;

// Connections that are ready must not make those wait whose handshakes go on.
constexpr int kMostAccepted = 8;
// Established ones that nobody takes, because the event loop is busy: as many as Node has wait in the kernel for accept(2).
constexpr size_t kMostUntaken = 511;

}  // namespace

int HandshakeLoop::Open() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  return epoll_ < 0 ? -errno : 0;
}

void HandshakeLoop::Close() {
  acceptor_.Close();
  all_.clear();
  if (epoll_ >= 0) close(epoll_);
  epoll_ = -1;
}

int HandshakeLoop::AlsoWatch(int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void HandshakeLoop::Begin(uint32_t id, int fd, std::shared_ptr<TlsContext> context) {
  Begin(std::make_unique<Handshake>(id, fd, std::move(context), Handshake::Clock::now() + options_.timeout));
}

void HandshakeLoop::AcceptSome() {
  for (int i = 0; i < kMostAccepted; i++) {
    if (outlet_->untaken() >= kMostUntaken) return acceptor_.Pause();
    std::shared_ptr<TlsContext> context;
    Descriptor connection = acceptor_.Accept(&context);
    if (!connection) return;
    Begin(std::make_unique<Handshake>(std::move(connection), std::move(context), Handshake::Clock::now() + options_.timeout));
  }
}

void HandshakeLoop::Begin(std::unique_ptr<Handshake> made) {
  Handshake* const handshake = made.get();
  handshake->age = ++last_age_;
  all_.emplace(handshake->age, std::move(made));
  // The ClientHello is mostly there.
  Advance(handshake);
}

void HandshakeLoop::Abort(uint32_t id) {
  const auto found = std::find_if(all_.begin(), all_.end(), [id](const auto& entry) { return entry.second->is_lent() && entry.second->id == id; });
  if (found == all_.end()) return;
  End(found->second.get());
  Tell({Event::kReleased, id, {}, nullptr, nullptr, {}});
}

void HandshakeLoop::Tell(Told&& told) {
  outlet_->Tell(std::move(told));
  if (has_untold_) return;
  has_untold_ = true;
  untold_since_ = Handshake::Clock::now();
}

int HandshakeLoop::Wait(int milliseconds, int most) { return epoll_wait(epoll_, events_, std::min(most, kMostEvents), milliseconds); }

bool HandshakeLoop::Go(int event) {
  if (events_[event].data.ptr == nullptr) return false;
  if (events_[event].data.ptr == &acceptor_) {
    AcceptSome();
    return true;
  }
  Advance(static_cast<Handshake*>(events_[event].data.ptr));
  return true;
}

int HandshakeLoop::MillisecondsToWait() const {
  const int pause = acceptor_.MillisecondsToWait();
  if (all_.empty()) return pause;
  if (!waiting_.empty()) return kWaitingCheckMs;
  const auto left = all_.begin()->second->deadline - Handshake::Clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1;
  return static_cast<int>(std::clamp<decltype(ms + 0)>(ms, 0, pause < 0 ? 1 << 30 : pause));
}

void HandshakeLoop::OnTime() {
  acceptor_.OnTime();
  if (all_.empty()) return;
  const auto now = Handshake::Clock::now();
  while (!all_.empty() && all_.begin()->second->deadline <= now) {
    Handshake* const late = all_.begin()->second.get();
    late->TimeOut();
    Watch(late, 0);
    Tell(late->TellFailed());
    End(late);
  }
  if (waiting_.empty()) return;
  while (!counted_order_.empty()) {
    const auto found = all_.find(counted_order_.front());
    if (found != all_.end() && found->second->is_counted) {
      if (found->second->since + kStale > now) break;
      Uncount(found->second.get());
      continue;
    }
    counted_order_.pop_front();
  }
  BeginWaiting();
}

// The limit is for what takes memory: a client that has not said anything yet has no SSL object.
bool HandshakeLoop::MayBegin(Handshake* handshake) {
  if (handshake->is_counted || handshake->has_begun()) return true;
  if (!HasPlace()) return false;
  handshake->is_counted = true;
  handshake->since = Handshake::Clock::now();
  counted_++;
  counted_order_.push_back(handshake->age);
  return true;
}

void HandshakeLoop::Uncount(Handshake* handshake) {
  if (!handshake->is_counted) return;
  handshake->is_counted = false;
  counted_--;
  // Those of the past must not pile up.
  while (!counted_order_.empty()) {
    const auto found = all_.find(counted_order_.front());
    if (found != all_.end() && found->second->is_counted) break;
    counted_order_.pop_front();
  }
}

bool HandshakeLoop::HasPlace() const { return counted_ < options_.most_in_flight && outlet_->untaken() < kMostUntaken; }

void HandshakeLoop::BeginWaiting() {
  while (!waiting_.empty() && HasPlace()) {
    const auto found = all_.find(waiting_.front());
    waiting_.pop_front();
    if (found != all_.end()) Advance(found->second.get());
  }
}

void HandshakeLoop::Advance(Handshake* handshake) {
  if (!MayBegin(handshake)) {
    waiting_.push_back(handshake->age);
    return Watch(handshake, 0);
  }
  const Step step = handshake->Run();
  if (step == Step::kWait) {
    if (!handshake->has_begun()) Uncount(handshake);  // nothing has come: it waits without a place
    return Watch(handshake, handshake->wants_to_write() ? EPOLLOUT : EPOLLIN);
  }
  // Nobody looks at the descriptor when its owner hears of it.
  Watch(handshake, 0);
  Tell(step == Step::kDone ? handshake->TellDone(&profiles_) : step == Step::kDeclined ? handshake->TellDeclined() : handshake->TellFailed());
  End(handshake);
}

void HandshakeLoop::Watch(Handshake* handshake, uint32_t events) {
  if (handshake->watched == events) return;
  epoll_event event = {};
  event.events = events;
  event.data.ptr = handshake;
  const int how = handshake->watched == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  epoll_ctl(epoll_, how, handshake->fd, &event);
  handshake->watched = events;
}

void HandshakeLoop::End(Handshake* handshake) {
  Watch(handshake, 0);
  Uncount(handshake);
  all_.erase(handshake->age);
}

}  // namespace so_crypt
