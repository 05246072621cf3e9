// SPDX-License-Identifier: MIT
#include "threads.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace so_crypt {
namespace {

constexpr auto kNotice = std::chrono::milliseconds(1);
// In a crowd nobody is kept waiting by that.
constexpr auto kNextNotice = std::chrono::milliseconds(2);
constexpr size_t kCrowd = 3;

// sched_setattr(2), which glibc 2.36 has not.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t niceness;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

// The most that Linux takes (from 6.12 on; before, it does not look at it).
constexpr uint64_t kSliceNs = 100'000'000;

}  // namespace

void LowerPriority(int niceness) {
  if (niceness == 0) return;
  const id_t self = static_cast<id_t>(syscall(SYS_gettid));
  errno = 0;
  const int present = getpriority(PRIO_PROCESS, self);
  if (errno != 0) return;
  const int wanted = std::min(present + niceness, 19);
  // As a batch it does not take the processor away from who has just woken it, and who wakes does not wait for the end of its long slice.
  const SchedulingAttributes attributes = {sizeof attributes, SCHED_BATCH, 0, wanted, 0, kSliceNs, 0, 0};
  const bool is_usual = sched_getscheduler(0) == SCHED_OTHER;
  if (!is_usual || syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) setpriority(PRIO_PROCESS, self, wanted);
}

HandshakeThread::HandshakeThread(const ThreadOptions& options, const LoopOptions& loop, Outlet* outlet)
    : niceness_(options.niceness), loop_(loop, outlet) {}

int HandshakeThread::Start() {
  int error = loop_.Open();
  if (error == 0) wakeup_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (error == 0) error = wakeup_ < 0 ? -errno : loop_.AlsoWatch(wakeup_);
  if (error != 0) return error;
  // Signals are the process's other threads'.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto run = [](void* self) -> void* {
    static_cast<HandshakeThread*>(self)->Main();
    return nullptr;
  };
  error = pthread_create(&thread_, nullptr, run, this);
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
  loop_.Close();
  if (wakeup_ >= 0) close(wakeup_);
  wakeup_ = -1;
}

void HandshakeThread::Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context) {
  submitted_++;
  Send({id, fd, std::move(context)});
}

void HandshakeThread::Abort(uint32_t id) { Send({id, -1, nullptr}); }

void HandshakeThread::Send(Command&& command) {
  commands_.Put(std::move(command));
  // A thread that is busy looks before it sleeps.
  if (sleeps_.exchange(false)) Wake();
}

void HandshakeThread::Wake() {
  const uint64_t one = 1;
  (void)!write(wakeup_, &one, sizeof one);
}

// Notice of outcomes is given when there is nothing else to do, or after a millisecond: to take several at a time costs the other thread
// half as much for each. Where many handshakes go on it is given no sooner than two milliseconds after the last one.
int HandshakeThread::Wait() {
  int ms = -1;
  if (loop_.has_untold()) {
    const int count = loop_.Wait(0);
    if (count > 0 || !commands_.empty()) return count;
    ms = MillisecondsToNotice();
    if (ms == 0) loop_.Notify();
  }
  if (ms <= 0) ms = loop_.MillisecondsToWait();
  sleeps_ = true;
  const int count = loop_.Wait(commands_.empty() ? ms : 0);
  sleeps_ = false;
  return count;
}

int HandshakeThread::MillisecondsToNotice() const {
  if (loop_.counted() < kCrowd) return 0;
  const auto left = loop_.notified() + kNextNotice - Handshake::Clock::now();
  return left.count() <= 0 ? 0 : static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()) + 1;
}

void HandshakeThread::NotifyInTime() {
  if (!loop_.has_untold() || Handshake::Clock::now() - loop_.untold_since() < kNotice) return;
  if (MillisecondsToNotice() == 0) loop_.Notify();
}

void HandshakeThread::Main() {
  pthread_setname_np(pthread_self(), "tls-handshakes");
  LowerPriority(niceness_);
  while (!stops_) {
    const int count = Wait();
    uint64_t ignored;
    for (int i = 0; i < count && !stops_; i++) {
      if (!loop_.Go(i)) (void)!read(wakeup_, &ignored, sizeof ignored);
      NotifyInTime();
    }
    // After the events, which point to handshakes.
    RunCommands();
    loop_.OnTime();
    ended_ = begun_ + loop_.accepted() - loop_.size();
  }
}

void HandshakeThread::RunCommands() {
  for (Command& command : commands_.TakeAll()) {
    if (stops_) return;
    if (command.fd < 0) {
      loop_.Abort(command.id);
    } else {
      begun_++;
      loop_.Begin(command.id, command.fd, std::move(command.context));
    }
    NotifyInTime();
  }
  loop_.BeginWaiting();
}

HandshakeThreads::HandshakeThreads(const ThreadOptions& options, std::function<void()> notify) : outlet_(std::move(notify)) {
  LoopOptions loop = options.each;
  for (loop.index = 0; loop.index < options.threads; loop.index++)
    threads_.push_back(std::make_unique<HandshakeThread>(options, loop, &outlet_));
}

int HandshakeThreads::Start() {
  for (const auto& thread : threads_)
    if (const int error = thread->Start()) return error;
  return 0;
}

void HandshakeThreads::Stop() {
  Unlisten();
  for (const auto& thread : threads_) thread->Stop();
}

int HandshakeThreads::Listen(int fd, const std::shared_ptr<TlsContext>& context) {
  Unlisten();
  listening_ = Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!listening_) return -errno;
  for (const auto& thread : threads_) {
    const int error = thread->Listen(listening_.get(), context);
    if (error == 0) continue;
    Unlisten();
    return error;
  }
  return 0;
}

void HandshakeThreads::Unlisten() {
  for (const auto& thread : threads_) thread->Unlisten();
  listening_ = Descriptor();
}

uint64_t HandshakeThreads::accepted() const {
  uint64_t sum = 0;
  for (const auto& thread : threads_) sum += thread->accepted();
  return sum;
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
