// SPDX-License-Identifier: MIT
// The handshakes of one thread, with an epoll(7) of their own. Whoever has it waits for that and says when to go on. Descriptors that are lent
// stay their lender's, which closes none before it has heard of its end; connections that were accepted here go with the outcome.
#pragma once
#include <sys/epoll.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>

#include "acceptor.h"
#include "handshake.h"
#include "outlet.h"
#include "profile.h"

namespace so_crypt {

struct LoopOptions {
  uint32_t index;         // of the loop, among those that tell the same outlet
  size_t most_in_flight;  // those of clients that are silent for a second don't count
  std::chrono::milliseconds timeout;
};

class HandshakeLoop {
 public:
  HandshakeLoop(const LoopOptions& options, Outlet* outlet)
      : options_(options), outlet_(outlet), profiles_(options.index * static_cast<uint32_t>(Profiles::kMost)) {}
  ~HandshakeLoop() { Close(); }
  HandshakeLoop(const HandshakeLoop&) = delete;
  HandshakeLoop& operator=(const HandshakeLoop&) = delete;

  // 0 or -errno.
  int Open();
  void Close();
  int descriptor() const { return epoll_; }
  // Wait() counts a descriptor that is none of a handshake's, too, when it can be read; Go() returns false for it. 0 or -errno.
  int AlsoWatch(int fd);

  size_t size() const { return all_.size(); }

  // From another thread: see Acceptor.
  int Listen(int fd, std::shared_ptr<TlsContext> context) { return acceptor_.Open(epoll_, fd, std::move(context), &acceptor_); }
  void Unlisten() { acceptor_.Close(); }
  uint64_t accepted() const { return acceptor_.accepted(); }

  // There is something to take that nobody has been notified of, and since when.
  bool has_untold() const { return has_untold_; }
  Handshake::Clock::time_point untold_since() const { return untold_since_; }
  void Notify() {
    has_untold_ = false;
    outlet_->Notify();
  }
  // Handshakes that go on.
  size_t counted() const { return counted_; }
  // When notice was given last, by all loops.
  Handshake::Clock::time_point notified() const { return outlet_->noticed(); }

  void Begin(uint32_t id, int fd, std::shared_ptr<TlsContext> context);
  void Abort(uint32_t id);
  // For the next Wait(): until the first handshake is late; -1: nothing is to come.
  int MillisecondsToWait() const;

  // How many events there are; Go(0) … Go(count - 1), or fewer of them, must follow before anything else.
  int Wait(int milliseconds, int most = kMostEvents);
  bool Go(int event);
  // To be called behind each Wait(), too.
  void OnTime();
  // To be called behind Begin() and Abort(), for any number of them.
  void BeginWaiting();

 private:
  static constexpr int kMostEvents = 64;

  void AcceptSome();
  void Begin(std::unique_ptr<Handshake> handshake);
  bool MayBegin(Handshake* handshake);
  bool HasPlace() const;
  void Advance(Handshake* handshake);
  void Watch(Handshake* handshake, uint32_t events);
  void End(Handshake* handshake);
  void Uncount(Handshake* handshake);
  void Tell(Told&& told);

  const LoopOptions options_;
  Outlet* const outlet_;
  Profiles profiles_;
  bool has_untold_ = false;
  Handshake::Clock::time_point untold_since_;
  int epoll_ = -1;
  epoll_event events_[kMostEvents];
  Acceptor acceptor_;
  // By age: the oldest has the least.
  std::map<uint64_t, std::unique_ptr<Handshake>> all_;
  uint64_t last_age_ = 0;
  // What counts; some that have ended may be among them.
  std::deque<uint64_t> counted_order_;
  size_t counted_ = 0;
  std::deque<uint64_t> waiting_;
};

}  // namespace so_crypt
