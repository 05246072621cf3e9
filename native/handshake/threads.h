// SPDX-License-Identifier: MIT
// Threads that do handshakes and know no JavaScript. Descriptors stay their lender's, which closes none before it has heard of its end.
#pragma once
#include <pthread.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "bytes.h"
#include "handshake.h"
#include "profile.h"

namespace so_crypt {

struct ThreadOptions {
  size_t threads;
  size_t most_in_flight;  // in each; those of clients that are silent for a second don't count
  int niceness;           // added to that of the process
  std::chrono::milliseconds timeout;
};

// Of the calling thread, below all that answers established connections. What the system does not allow is no error: then they share evenly.
void LowerPriority(int niceness);

// What they tell, in one place for all.
class Outlet {
 public:
  explicit Outlet(std::function<void()> notify) : notify_(std::move(notify)) {}
  void Tell(const std::function<void(ByteWriter*, Profiles*)>& write);
  // All so far. Notice of what comes later is given again.
  void Take(ByteWriter* into);

 private:
  const std::function<void()> notify_;
  std::mutex mutex_;
  ByteWriter bytes_;
  Profiles profiles_;
};

class HandshakeThread {
 public:
  HandshakeThread(const ThreadOptions& options, Outlet* outlet);
  ~HandshakeThread() { Stop(); }
  // -errno where it can't.
  int Start();
  void Stop();
  void Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(uint32_t id);
  size_t in_flight() const { return in_flight_; }

 private:
  struct Command {
    uint32_t id;
    int fd;  // -1: the handshake is to be let go of
    std::shared_ptr<TlsContext> context;
  };

  void Send(Command&& command);
  void Main();
  void RunCommands();
  int MillisecondsToWait() const;
  bool HasCommands();
  void Wake();
  void OnTime();
  bool MayBegin(Handshake* handshake);
  void Advance(Handshake* handshake);
  void Watch(Handshake* handshake, uint32_t events);
  void End(Handshake* handshake);
  void Uncount(Handshake* handshake);
  void BeginWaiting();

  const ThreadOptions options_;
  Outlet* const outlet_;
  pthread_t thread_ = {};
  bool is_running_ = false;
  int epoll_ = -1;
  int wakeup_ = -1;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<bool> stops_{false};
  // Waits, or is about to, and must be woken.
  std::atomic<bool> sleeps_{false};
  // By number, which is the order in which they came.
  std::map<uint32_t, std::unique_ptr<Handshake>> all_;
  // What counts, by age; numbers of some that have ended may be among them.
  std::deque<uint32_t> counted_order_;
  size_t counted_ = 0;
  std::deque<uint32_t> waiting_;
};

class HandshakeThreads {
 public:
  // notify: called by any of them when there is something to take after a time when there was nothing
  HandshakeThreads(const ThreadOptions& options, std::function<void()> notify);
  ~HandshakeThreads() { Stop(); }
  int Start();
  void Stop();
  // The least busy one's index.
  size_t Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(size_t thread, uint32_t id);
  void Take(ByteWriter* into) { outlet_.Take(into); }

 private:
  Outlet outlet_;
  std::vector<std::unique_ptr<HandshakeThread>> threads_;
};

}  // namespace so_crypt
