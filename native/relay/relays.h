// SPDX-License-Identifier: MIT
// The relays of one event loop, which goes on with them when their epoll(7) has something.
#pragma once
#include <uv.h>

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "relay.h"

namespace so_crypt {

class Relays {
 public:
  // Called by the event loop, never from one of the methods.
  using OnNews = std::function<void(uint32_t id, Relay* relay, News news)>;

  // Null: no descriptor is left; *error is -errno.
  static Relays* Open(uv_loop_t* loop, OnNews on_news, int* error);

  // It begins in a later turn. 0 or -errno, and then the relay is gone.
  int Add(uint32_t id, std::unique_ptr<Relay> relay);
  Relay* Find(uint32_t id) const;
  // Something was told to a relay: it goes on in the next turn.
  void Wake(uint32_t id);
  // Sends what goes without waiting, and closes both descriptors.
  void Remove(uint32_t id);
  // The same without closing, for all.
  void Drain();
  // Milliseconds since bytes have passed.
  uint64_t IdleTime(uint32_t id) const;

  // Whether it keeps the event loop running.
  void SetRef(bool on);

  // Ends all relays. `closed` runs when the event loop has let go of it, and then it is gone.
  void Close(std::function<void()> closed);

 private:
  struct Entry {
    std::unique_ptr<Relay> relay;
    uint64_t last_bytes;  // when bytes have passed, by uv_now()
    bool is_ready;
  };

  explicit Relays(OnNews on_news) : on_news_(std::move(on_news)) {}
  ~Relays();
  static void OnReady(uv_poll_t* handle, int status, int events);
  static void OnIdle(uv_idle_t* handle);
  static void OnClose(uv_handle_t* handle);
  void MakeReady(uint32_t id, Entry* entry);
  void RunReady();

  OnNews on_news_;
  int epoll_ = -1;
  uv_poll_t poll_;
  uv_idle_t idle_;  // runs as long as a relay is ready that no event will come for
  int open_ = 2;    // handles
  bool is_closing_ = false;
  std::unordered_map<uint32_t, Entry> all_;
  std::vector<uint32_t> ready_;
  RelayMemory memory_;
  std::function<void()> closed_;
};

}  // namespace so_crypt
