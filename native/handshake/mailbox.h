// SPDX-License-Identifier: MIT
// Things for one receiver, from any thread, each thread's in the order in which they came. Nobody waits for anybody here: a thread that is
// suspended, because it has a low priority and others have work, holds nothing that the receiver needs.
#pragma once
#include <atomic>
#include <utility>
#include <vector>

namespace so_crypt {

template <typename T>
class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox() { TakeAll(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void Put(T&& item) {
    Node* const node = new Node{std::move(item), newest_.load()};
    while (!newest_.compare_exchange_weak(node->next, node)) continue;
  }

  bool empty() const { return newest_.load() == nullptr; }

  std::vector<T> TakeAll() {
    std::vector<T> taken;
    Node* oldest = nullptr;
    for (Node* node = newest_.exchange(nullptr); node != nullptr;) {
      Node* const next = node->next;
      node->next = oldest;
      oldest = node;
      node = next;
    }
    while (oldest != nullptr) {
      Node* const next = oldest->next;
      taken.push_back(std::move(oldest->item));
      delete oldest;
      oldest = next;
    }
    return taken;
  }

 private:
  struct Node {
    T item;
    Node* next;
  };

  std::atomic<Node*> newest_{nullptr};
};

}  // namespace so_crypt
