// SPDX-License-Identifier: MIT
// Memory for opened records that becomes JavaScript's and comes back when it is garbage. malloc would do, but it gives large blocks
// back to the kernel and gets them anew all the time: the page faults then cost more than decrypting.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace so_crypt {

class SlabPool {
 public:
  // Sizes in bytes: one read of the socket and an unfinished record before it, and halves of that; several reads of SSH's packets, short
  // ones or long ones.
  static constexpr size_t kClasses = 5;
  static constexpr size_t kSizes[kClasses] = {21 * 1024, 42 * 1024, 84 * 1024, 256 * 1024, 1024 * 1024};
  // Most bytes of unused slabs that are kept; V8 collects when so much garbage has gathered.
  static constexpr size_t kKeep = 32 * 1024 * 1024;

  ~SlabPool() {
    for (auto& list : free_)
      for (uint8_t* slab : list) free(slab);
  }

  // Null: no memory.
  uint8_t* Acquire(size_t size_class) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto& list = free_[size_class];
      if (!list.empty()) {
        uint8_t* slab = list.back();
        list.pop_back();
        kept_ -= kSizes[size_class];
        return slab;
      }
    }
    return static_cast<uint8_t*>(malloc(kSizes[size_class]));
  }

  void Release(uint8_t* slab, size_t size_class) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (kept_ + kSizes[size_class] > kKeep) return free(slab);
    free_[size_class].push_back(slab);
    kept_ += kSizes[size_class];
  }

  // One for all threads: workers come and go, and their slabs may be garbage after them.
  static SlabPool& Shared() {
    static SlabPool* pool = new SlabPool();
    return *pool;
  }

 private:
  std::mutex mutex_;
  std::vector<uint8_t*> free_[kClasses];
  size_t kept_ = 0;
};

}  // namespace so_crypt
