// SPDX-License-Identifier: MIT
// What handshakes tell, in one place for all threads.
#pragma once
#include <functional>
#include <mutex>

#include "bytes.h"
#include "profile.h"

namespace so_crypt {

class Outlet {
 public:
  // notify: called by any thread when there is something to take after a time when there was nothing
  explicit Outlet(std::function<void()> notify) : notify_(std::move(notify)) {}

  void Tell(const std::function<void(ByteWriter*, Profiles*)>& write) {
    bool was_empty;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      was_empty = bytes_.empty();
      write(&bytes_, &profiles_);
    }
    if (was_empty) notify_();
  }

  // All so far. Notice of what comes later is given again.
  void Take(ByteWriter* into) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bytes_.Swap(into);
  }

 private:
  const std::function<void()> notify_;
  std::mutex mutex_;
  ByteWriter bytes_;
  Profiles profiles_;
};

}  // namespace so_crypt
