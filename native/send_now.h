// SPDX-License-Identifier: MIT
#pragma once
#ifndef _WIN32
#include <sys/socket.h>
#endif
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace so_crypt {

// Bytes that a connected socket takes without waiting, or -errno.
inline ptrdiff_t SendNow(int fd, const uint8_t* data, size_t length) {
#ifdef _WIN32
  return -EAGAIN;
#else
#ifdef MSG_NOSIGNAL
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
  constexpr int flags = MSG_DONTWAIT;  // Node ignores SIGPIPE
#endif
  ssize_t count;
  do count = send(fd, data, length, flags);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
#endif
}

}  // namespace so_crypt
