// SPDX-License-Identifier: MIT
// Threads that do handshakes and know no JavaScript.
#pragma once
#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "loop.h"

namespace so_crypt {

struct ThreadOptions {
  size_t threads;
  LoopOptions each;
  int niceness;  // added to that of the process
};

// Of the calling thread, below all that answers established connections. What the system does not allow is no error: then they share evenly.
void LowerPriority(int niceness);

class HandshakeThread {
 public:
  HandshakeThread(const ThreadOptions& options, const LoopOptions& loop, Outlet* outlet);
  ~HandshakeThread() { Stop(); }
  // -errno where it can't.
  int Start();
  void Stop();
  void Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(uint32_t id);
  // About, as everything of another thread is.
  size_t in_flight() const {
    const size_t ended = ended_;
    return submitted_ + loop_.accepted() - ended;
  }
  // From the thread that submits: see Acceptor.
  int Listen(int fd, std::shared_ptr<TlsContext> context) { return loop_.Listen(fd, std::move(context)); }
  void Unlisten() { loop_.Unlisten(); }
  uint64_t accepted() const { return loop_.accepted(); }

 private:
  struct Command {
    uint32_t id;
    int fd;  // -1: the handshake is to be let go of
    std::shared_ptr<TlsContext> context;
  };

  void Send(Command&& command);
  void Main();
  void RunCommands();
  int Wait();
  void NotifyInTime();
  int MillisecondsToNotice() const;
  void Wake();

  const int niceness_;
  HandshakeLoop loop_;
  pthread_t thread_ = {};
  bool is_running_ = false;
  int wakeup_ = -1;
  Mailbox<Command> commands_;
  size_t submitted_ = 0;           // known to who submits
  size_t begun_ = 0;               // of those, known to the thread
  std::atomic<size_t> ended_{0};
  std::atomic<bool> stops_{false};
  // Waits, or is about to, and must be woken.
  std::atomic<bool> sleeps_{false};
};

class HandshakeThreads {
 public:
  // notify: see Outlet
  HandshakeThreads(const ThreadOptions& options, std::function<void()> notify);
  ~HandshakeThreads() { Stop(); }
  int Start();
  void Stop();
  // The least busy one's index.
  size_t Submit(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(size_t thread, uint32_t id);
  // They accept the connections of a listening socket, instead of another's; 0 or -errno.
  int Listen(int fd, const std::shared_ptr<TlsContext>& context);
  // Behind it they accept no more.
  void Unlisten();
  uint64_t accepted() const;
  std::vector<Told> Take() { return outlet_.Take(); }

 private:
  Outlet outlet_;
  std::vector<std::unique_ptr<HandshakeThread>> threads_;
  // A duplicate: the other may be closed before they end.
  Descriptor listening_;
};

}  // namespace so_crypt
