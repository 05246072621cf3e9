// SPDX-License-Identifier: MIT
#include <sys/time.h>

#include <cerrno>

#include "loopback.h"
#include "so_crypt.h"
#include "so_crypt_abi.h"
#include "socket_io.h"

namespace so_crypt {

int ProbeSoCrypt(const char** step) {
  Descriptor client, server;
  if ((*step = Connect(&client, &server)) != nullptr) return -errno;
  *step = "TCP_ULP";
  for (int fd : {static_cast<int>(client), static_cast<int>(server)})
    if (const int error = AttachSoCrypt(fd)) return error;
  SoCryptSpec spec = {};
  spec.protocol = SO_CRYPT_TLS_1_3;
  spec.cipher = "aes-128-gcm";
  spec.driver = "";
  spec.mac = "";
  spec.layout.tag = 16;
  const uint8_t key[16] = {}, iv[12] = {};
  SoCryptKeys write(spec, key, sizeof key, iv, sizeof iv, key, 0, TrafficSecret());
  SoCryptKeys read(spec, key, sizeof key, iv, sizeof iv, key, 0, TrafficSecret());
  *step = "SO_CRYPT";
  if (const int error = write.Arm(client, true, false)) return error;
  if (const int error = read.Arm(server, false, false)) return error;
  const uint8_t sent = 0x5a;
  uint8_t received = 0, type = 0;
  *step = "send";
  if (send(client, &sent, 1, MSG_NOSIGNAL) != 1) return -errno;
  *step = "recv";
  const timeval patience = {1, 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const ssize_t result = recv(server, &received, 1, MSG_PEEK);
  if (result != 1) return result < 0 ? -errno : -EIO;
  if (ReceiveRecord(server, &received, 1, &type) != 1 || received != sent || type != 23) return -EIO;
  return 0;
}

}  // namespace so_crypt
