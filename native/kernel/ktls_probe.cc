// SPDX-License-Identifier: MIT
// Neither the kernel's version nor /proc tells whether kTLS works (containers, seccomp, missing modules): only trying does.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "ktls.h"
#include "socket_io.h"

namespace so_crypt {
namespace {

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

// A connection with itself. Null, or the name of the system call that failed.
const char* Connect(Descriptor* client, Descriptor* server) {
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

}  // namespace

KtlsProbe ProbeKtls(const KtlsCipher& cipher, TlsVersion version) {
  Descriptor client, server;
  if (const char* step = Connect(&client, &server)) return {-errno, step, false};
  for (int fd : {static_cast<int>(client), static_cast<int>(server)})
    if (const int error = AttachKtls(fd)) return {error, "TCP_ULP", false};

  const uint8_t key[kKtlsMaxKey] = {}, iv[kKtlsMaxIv] = {};
  TrafficSecret secret;
  if (version == TlsVersion::k13) secret.Set(key, 32);
  const size_t iv_length = version == TlsVersion::k13 || cipher.salt == 0 ? kKtlsMaxIv : cipher.salt;
  KtlsKeys write(cipher, version, key, iv, iv_length, 0, 0, secret);
  KtlsKeys read(cipher, version, key, iv, iv_length, 0, 0, secret);
  if (const int error = write.Arm(client, true)) return {error, "TLS_TX", false};
  if (const int error = read.Arm(server, false)) return {error, "TLS_RX", false};

  const uint8_t sent = 0x5a;
  uint8_t received = 0, type = 0;
  if (send(client, &sent, 1, MSG_NOSIGNAL) != 1) return {-errno, "send", false};
  const timeval patience = {1, 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const ssize_t result = recv(server, &received, 1, MSG_PEEK);
  if (result != 1) return {result < 0 ? -errno : -EIO, "recv", false};
  if (ReceiveRecord(server, &received, 1, &type) != 1 || received != sent || type != 23) return {-EIO, "recv", false};
  return {0, nullptr, write.Next() && write.Arm(client, true) == 0};
}

}  // namespace so_crypt
