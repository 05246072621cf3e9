// SPDX-License-Identifier: MIT
// What handshakes tell, in one place for all threads.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "../record/opener.h"
#include "../record/sealer.h"
#include "bytes.h"
#include "descriptor.h"
#include "mailbox.h"

namespace so_crypt {

// lib/handshake-workers/native-events.ts
enum class Event : uint8_t { kDone = 1, kDeclined = 2, kFailed = 3, kReleased = 4 };

struct Told {
  Event event;
  uint32_t id;
  // Of a connection that the thread has accepted.
  Descriptor connection;
  // Of a handshake that is done, where its context has them made: the connection's directions.
  std::unique_ptr<Sealer> sealer;
  std::unique_ptr<Opener> opener;
  ByteWriter rest;
};

class Outlet {
 public:
  using Clock = std::chrono::steady_clock;

  // notify: called by Notify() when there is something to take after a time when there was nothing
  explicit Outlet(std::function<void()> notify) : notify_(std::move(notify)) {}

  // Whoever tells must see to it that Notify() follows.
  void Tell(Told&& told) {
    untaken_++;
    told_.Put(std::move(told));
  }

  void Notify() {
    if (told_.empty() || is_noticed_.exchange(true)) return;
    noticed_ = Clock::now();
    notify_();
  }

  // When notice was given last.
  Clock::time_point noticed() const { return noticed_; }

  bool empty() const { return told_.empty(); }
  size_t untaken() const { return untaken_; }

  // All so far. Notice of what comes later is given again.
  std::vector<Told> Take() {
    is_noticed_ = false;
    std::vector<Told> all = told_.TakeAll();
    untaken_ -= all.size();
    return all;
  }

 private:
  const std::function<void()> notify_;
  std::atomic<bool> is_noticed_{false};
  std::atomic<Clock::time_point> noticed_{};
  std::atomic<size_t> untaken_{0};
  Mailbox<Told> told_;
};

}  // namespace so_crypt
