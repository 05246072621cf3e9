// SPDX-License-Identifier: MIT
// Numbers for objects that JavaScript holds. What every small record calls takes such a number instead of `this`: napi_unwrap looks for a
// private property, and that takes as long as encrypting some hundred bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace so_crypt {

// A number is an object's until the object drops it; who holds the object may use it.
template <typename T>
class Slots {
 public:
  Slots() = default;
  ~Slots() {
    for (size_t i = 0; i < objects_.size(); i++)
      if (owned_[i]) delete objects_[i];
  }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  uint32_t Take(T* object) {
    if (free_.empty()) {
      objects_.push_back(object);
      owned_.push_back(false);
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

  // A number that is the object itself, for JavaScript that needs no object of its own. Who has it calls
  // Disown(), or Move(), once.
  template <typename Made>
  uint32_t Own(Made&& object) {
    const uint32_t slot = Take(new T(std::forward<Made>(object)));
    owned_[slot] = true;
    return slot;
  }

  void Disown(uint32_t slot) {
    if (!IsOwned(slot)) return;
    delete objects_[slot];
    owned_[slot] = false;
    Drop(slot);
  }

  // What was owned is now at `to`, under the same number. False: it was not.
  bool Move(uint32_t slot, T* to) {
    if (!IsOwned(slot)) return false;
    *to = std::move(*objects_[slot]);
    delete objects_[slot];
    owned_[slot] = false;
    objects_[slot] = to;
    return true;
  }

  // Null: nobody has that number.
  T* At(uint32_t slot) const { return slot < objects_.size() ? objects_[slot] : nullptr; }

 private:
  bool IsOwned(uint32_t slot) const { return slot < owned_.size() && owned_[slot]; }

  std::vector<T*> objects_;
  std::vector<bool> owned_;
  std::vector<uint32_t> free_;
};

}  // namespace so_crypt
