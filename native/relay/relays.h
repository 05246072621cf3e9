// SPDX-License-Identifier: MIT
// The relays of one event loop, which goes on with them when their epoll(7) has something.
#pragma once
#include <sys/epoll.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "relay.h"

namespace so_crypt {

class Relays {
 public:
  using OnNews = std::function<void(uint32_t id, News news)>;

  // Null: no descriptor is left; *error is -errno.
  static Relays* Open(uv_loop_t* loop, OnNews on_news, int* error);

  // 0 or -errno, and then the relay is gone.
  int Add(uint32_t id, std::unique_ptr<Relay> relay);
  Relay* Find(uint32_t id) const;
  // Something was told to a relay: it goes on in the next turn.
  void Wake(uint32_t id);
  // Sends what can be sent, and lets go of the connection.
  void Remove(uint32_t id);
  RelayMemory* memory() { return &memory_; }

  void SetRef(bool on);
  void Close(std::function<void()> closed);
  void DrainAll();

 private:
  explicit Relays(OnNews on_news) : on_news_(std::move(on_news)) {}
  ~Relays();
  static void OnReady(uv_poll_t* handle, int status, int events);
  static void OnIdle(uv_idle_t* handle);
  static void OnClose(uv_handle_t* handle);
  void RunReady();
  void MakeReady(uint32_t id);

  static constexpr int kMostEvents = 64;
  OnNews on_news_;
  int epoll_ = -1;
  uv_poll_t poll_;
  uv_idle_t idle_;
  int open_ = 2;  // handles
  bool is_closing_ = false;
  std::unordered_map<uint32_t, std::unique_ptr<Relay>> all_;
  std::vector<uint32_t> ready_;
  RelayMemory memory_;
  std::function<void()> closed_;
};

}  // namespace so_crypt
