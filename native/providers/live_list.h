// SPDX-License-Identifier: MIT
// Ciphers of a thread that hold something an idle connection should not keep (an expanded key, descriptors), by their last use.
#pragma once
#include <cstddef>

namespace so_crypt {

class LiveList;

class Live {
 protected:
  ~Live() = default;

 private:
  friend class LiveList;
  // Lets go of what it holds and leaves the list.
  virtual void Release() = 0;

  size_t weight_ = 0;  // 0: not in the list
  Live* newer_ = nullptr;
  Live* older_ = nullptr;
};

class LiveList {
 public:
  constexpr explicit LiveList(size_t most) : most_(most) {}

  // It is in use now and weighs so much; what was used longest ago must go when all together weigh more than the most.
  void Touch(Live* live, size_t weight) {
    if (newest_ == live && live->weight_ == weight) return;
    Remove(live);
    live->weight_ = weight;
    total_ += weight;
    live->older_ = newest_;
    if (newest_ != nullptr) newest_->newer_ = live;
    newest_ = live;
    if (oldest_ == nullptr) oldest_ = live;
    while (total_ > most_ && ReleaseOldest(live)) continue;
  }

  void Remove(Live* live) {
    if (live->weight_ == 0) return;
    (live->newer_ != nullptr ? live->newer_->older_ : newest_) = live->older_;
    (live->older_ != nullptr ? live->older_->newer_ : oldest_) = live->newer_;
    live->newer_ = live->older_ = nullptr;
    total_ -= live->weight_;
    live->weight_ = 0;
  }

  // False: there is none but `except`.
  bool ReleaseOldest(const Live* except) {
    if (oldest_ == nullptr || oldest_ == except) return false;
    oldest_->Release();
    return true;
  }

 private:
  const size_t most_;
  size_t total_ = 0;
  Live* newest_ = nullptr;
  Live* oldest_ = nullptr;
};

}  // namespace so_crypt
