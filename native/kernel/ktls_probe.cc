// SPDX-License-Identifier: MIT
// Neither the kernel's version nor /proc tells whether kTLS works (containers, seccomp, missing modules): only trying does.
#include <sys/time.h>

#include <cerrno>

#include "ktls.h"
#include "loopback.h"
#include "socket_io.h"

namespace so_crypt {

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
