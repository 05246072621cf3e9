// SPDX-License-Identifier: MIT
// Numbers for objects that JavaScript holds. What every small record calls takes such a number instead of `this`: napi_unwrap looks for a
// private property, and that takes as long as encrypting some hundred bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace so_crypt {

// A number is an object's until the object drops it; who holds the object may use it.
template <typename T>
class Slots {
 public:
  uint32_t Take(T* object) {
    if (free_.empty()) {
      objects_.push_back(object);
      return static_cast<uint32_t>(objects_.size() - 1);
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    objects_[slot] = object;
    return slot;
  }

  void Drop(uint32_t slot) {
    objects_[slot] = nullptr;
    free_.push_back(slot);
  }

  // Null: nobody has that number.
  T* At(uint32_t slot) const { return slot < objects_.size() ? objects_[slot] : nullptr; }

 private:
  std::vector<T*> objects_;
  std::vector<uint32_t> free_;
};

}  // namespace so_crypt
