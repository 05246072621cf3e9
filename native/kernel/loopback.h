// SPDX-License-Identifier: MIT
// A connection of this process with itself, to try an engine on.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace so_crypt {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return fd_; }
  void Reset(int fd) { fd_ = fd; }

 private:
  int fd_;
};

// Null, or the name of the system call that failed.
inline const char* Connect(Descriptor* client, Descriptor* server) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener < 0) return "socket";
  if (bind(listener, generic, length) != 0) return "bind";
  if (listen(listener, 1) != 0) return "listen";
  if (getsockname(listener, generic, &length) != 0) return "getsockname";
  client->Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (*client < 0) return "socket";
  if (connect(*client, generic, length) != 0) return "connect";
  server->Reset(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  return *server < 0 ? "accept" : nullptr;
}

}  // namespace so_crypt
