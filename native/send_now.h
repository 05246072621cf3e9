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
inline ptrdiff_t SendNow(int fd, const uint8_t* data, size_t length, bool more) {
#ifdef _WIN32
  (void)fd, (void)data, (void)length, (void)more;
  return -EAGAIN;
#else
#ifdef MSG_NOSIGNAL
  int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
  int flags = MSG_DONTWAIT;  // Node ignores SIGPIPE
#endif
#ifdef MSG_MORE
  if (more) flags |= MSG_MORE;  // in one segment with what follows
#else
  (void)more;
#endif
  ssize_t count;
  do count = send(fd, data, length, flags);
  while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
#endif
}

}  // namespace so_crypt
