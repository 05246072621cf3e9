// SPDX-License-Identifier: MIT
#include "threads.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace so_crypt {
namespace {

constexpr uint8_t kReleasedEvent = 4;  // lib/handshake-workers/native-events.ts
// A client that is silent for so long leaves its place to others.
constexpr auto kStale = std::chrono::milliseconds(1000);
constexpr int kStaleCheckMs = 100;

}  // namespace

void LowerPriority(int niceness) {
  if (niceness == 0) return;
  const id_t self = static_cast<id_t>(syscall(SYS_gettid));
  errno = 0;
  const int present = getpriority(PRIO_PROCESS, self);
  if (errno == 0) setpriority(PRIO_PROCESS, self, present + niceness);
}

void Outlet::Tell(const std::function<void(ByteWriter*, Profiles*)>& write) {
  bool was_empty;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    was_empty = bytes_.empty();
    write(&bytes_, &profiles_);
  }
  if (was_empty) notify_();
}

void Outlet::Take(ByteWriter* into) {
  const std::lock_guard<std::mutex> lock(mutex_);
  bytes_.Swap(into);
}

HandshakeThread::HandshakeThread(const ThreadOptions& options, Outlet* outlet) : options_(options), outlet_(outlet) {}

int HandshakeThread::Start() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wakeup_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ < 0 || wakeup_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) return -errno;
  // Signals are the process's other threads'.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto run = [](void* self) -> void* {
    static_cast<HandshakeThread*>(self)->Main();
    return nullptr;
  };
  const int error = pthread_create(&thread_, nullptr, run, this);
  is_running_ = error == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return -error;
}

void HandshakeThread::Stop() {
  if (is_running_) {
    stops_ = true;
    Wake();
    pthread_join(thread_, nullptr);
    is_running_ = false;
  }
  all_.clear();
  for (int* fd : {&epoll_, &wakeup_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

void HandshakeThread::Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context) {
  in_flight_++;
  Send({id, fd, std::move(context)});
}

void HandshakeThread::Abort(uint32_t id) { Send({id, -1, nullptr}); }

void HandshakeThread::Send(Command&& command) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands_.push_back(std::move(command));
  }
  // A thread that is busy looks before it sleeps.
  if (sleeps_.exchange(false)) Wake();
}

void HandshakeThread::Wake() {
  const uint64_t one = 1;
  (void)!write(wakeup_, &one, sizeof one);
}

bool HandshakeThread::HasCommands() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !commands_.empty();
}

void HandshakeThread::Main() {
  pthread_setname_np(pthread_self(), "tls-handshakes");
  LowerPriority(options_.niceness);
  constexpr int kMostEvents = 64;
  epoll_event events[kMostEvents];
  while (!stops_) {
    sleeps_ = true;
    const int count = epoll_wait(epoll_, events, kMostEvents, HasCommands() ? 0 : MillisecondsToWait());
    sleeps_ = false;
    for (int i = 0; i < count && !stops_; i++) {
      uint64_t ignored;
      if (events[i].data.ptr == nullptr) (void)!read(wakeup_, &ignored, sizeof ignored);
      else Advance(static_cast<Handshake*>(events[i].data.ptr));
    }
    // After the events, which point to handshakes.
    RunCommands();
    OnTime();
  }
}

void HandshakeThread::RunCommands() {
  std::vector<Command> commands;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands.swap(commands_);
  }
  if (commands.empty()) return;
  for (Command& command : commands) {
    if (stops_) return;
    if (command.fd < 0) {
      const auto found = all_.find(command.id);
      if (found == all_.end()) continue;
      const uint32_t id = command.id;
      End(found->second.get());
      outlet_->Tell([id](ByteWriter* to, Profiles*) {
        to->U8(kReleasedEvent);
        to->U32(id);
      });
      continue;
    }
    auto made = std::make_unique<Handshake>(command.id, command.fd, std::move(command.context), Handshake::Clock::now() + options_.timeout);
    Handshake* const handshake = made.get();
    all_.emplace(command.id, std::move(made));
    // The ClientHello is mostly there.
    Advance(handshake);
  }
  BeginWaiting();
}

int HandshakeThread::MillisecondsToWait() const {
  if (all_.empty()) return -1;
  if (!waiting_.empty()) return kStaleCheckMs;
  const auto left = all_.begin()->second->deadline - Handshake::Clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1;
  return static_cast<int>(std::clamp<decltype(ms + 0)>(ms, 0, 1 << 30));
}

void HandshakeThread::OnTime() {
  if (all_.empty()) return;
  const auto now = Handshake::Clock::now();
  while (!all_.empty() && all_.begin()->second->deadline <= now) {
    Handshake* const late = all_.begin()->second.get();
    late->TimeOut();
    Watch(late, 0);
    outlet_->Tell([late](ByteWriter* to, Profiles*) { late->PackFailed(to); });
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
bool HandshakeThread::MayBegin(Handshake* handshake) {
  if (handshake->is_counted || handshake->has_begun()) return true;
  if (counted_ >= options_.most_in_flight) return false;
  handshake->is_counted = true;
  handshake->since = Handshake::Clock::now();
  counted_++;
  counted_order_.push_back(handshake->id);
  return true;
}

void HandshakeThread::Uncount(Handshake* handshake) {
  if (!handshake->is_counted) return;
  handshake->is_counted = false;
  counted_--;
  // Numbers of the past must not pile up.
  while (!counted_order_.empty()) {
    const auto found = all_.find(counted_order_.front());
    if (found != all_.end() && found->second->is_counted) break;
    counted_order_.pop_front();
  }
}

void HandshakeThread::BeginWaiting() {
  while (!waiting_.empty() && counted_ < options_.most_in_flight) {
    const auto found = all_.find(waiting_.front());
    waiting_.pop_front();
    if (found != all_.end()) Advance(found->second.get());
  }
}

void HandshakeThread::Advance(Handshake* handshake) {
  if (!MayBegin(handshake)) {
    waiting_.push_back(handshake->id);
    return Watch(handshake, 0);
  }
  const Step step = handshake->Run();
  if (step == Step::kWait) {
    if (!handshake->has_begun()) Uncount(handshake);  // nothing has come: it waits without a place
    return Watch(handshake, handshake->wants_to_write() ? EPOLLOUT : EPOLLIN);
  }
  // Nobody looks at the descriptor when its owner hears of it.
  Watch(handshake, 0);
  outlet_->Tell([=](ByteWriter* to, Profiles* profiles) {
    if (step == Step::kDone) handshake->PackDone(to, profiles);
    else if (step == Step::kDeclined) handshake->PackDeclined(to);
    else handshake->PackFailed(to);
  });
  End(handshake);
}

void HandshakeThread::Watch(Handshake* handshake, uint32_t events) {
  if (handshake->watched == events) return;
  epoll_event event = {};
  event.events = events;
  event.data.ptr = handshake;
  const int how = handshake->watched == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  epoll_ctl(epoll_, how, handshake->fd, &event);
  handshake->watched = events;
}

void HandshakeThread::End(Handshake* handshake) {
  Watch(handshake, 0);
  Uncount(handshake);
  all_.erase(handshake->id);
  in_flight_--;
}

HandshakeThreads::HandshakeThreads(const ThreadOptions& options, std::function<void()> notify) : outlet_(std::move(notify)) {
  for (size_t i = 0; i < options.threads; i++) threads_.push_back(std::make_unique<HandshakeThread>(options, &outlet_));
}

int HandshakeThreads::Start() {
  for (const auto& thread : threads_)
    if (const int error = thread->Start()) return error;
  return 0;
}

void HandshakeThreads::Stop() {
  for (const auto& thread : threads_) thread->Stop();
}

size_t HandshakeThreads::Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context) {
  size_t least = 0;
  for (size_t i = 1; i < threads_.size(); i++)
    if (threads_[i]->in_flight() < threads_[least]->in_flight()) least = i;
  threads_[least]->Submit(id, fd, std::move(context));
  return least;
}

void HandshakeThreads::Abort(size_t thread, uint32_t id) {
  if (thread < threads_.size()) threads_[thread]->Abort(id);
}

}  // namespace so_crypt
