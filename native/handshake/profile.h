// SPDX-License-Identifier: MIT
// What connections of a server mostly have in common goes to JavaScript once, under a number (messages.ts: Profile).
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <unordered_map>

#include "bytes.h"

namespace so_crypt {

class Profiles {
 public:
  // first: numbers begin behind it, those of `kMost` profiles
  explicit Profiles(uint32_t first) : first_(first) {}
  // Writes the number of a connection's profile (0: one that is not remembered), and the profile where the number is new.
  void Pack(SSL* ssl, ByteWriter* to);

  // A client's choices of algorithms make different ones: there must be an end.
  static constexpr size_t kMost = 1024;

 private:
  const uint32_t first_;
  std::unordered_map<std::string, uint32_t> known_;
};

}  // namespace so_crypt
