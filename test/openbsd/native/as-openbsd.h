/* SPDX-License-Identifier: MIT */
/*
 * Included before all else in native/addon*.cc and native/kernel/ when they are compiled on Linux as if it were OpenBSD: the system's
 * headers are read as they are, then the sources see OpenBSD. SO_CRYPT at SOL_SOCKET reaches Linux's module so_crypt.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <napi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#undef __linux__
#define __OpenBSD__ 1

namespace test_openbsd {

constexpr int kOption = 0x1026;  // SO_CRYPT, on both systems
constexpr int kLinuxLevel = 290;  // SOL_SO_CRYPT
constexpr int kLinuxTcpUlp = 31;

inline int SetOption(int fd, int level, int name, const void* value, socklen_t length) {
  if (level != SOL_SOCKET || name != kOption) return setsockopt(fd, level, name, value, length);
  if (setsockopt(fd, IPPROTO_TCP, kLinuxTcpUlp, "so_crypt", 8) != 0 && errno != EEXIST) {
    if (errno == ENOENT) errno = ENOPROTOOPT;
    return -1;
  }
  return setsockopt(fd, kLinuxLevel, name, value, length);
}

inline int GetOption(int fd, int level, int name, void* value, socklen_t* length) {
  return getsockopt(fd, level == SOL_SOCKET && name == kOption ? kLinuxLevel : level, name, value, length);
}

}  // namespace test_openbsd

#define setsockopt test_openbsd::SetOption
#define getsockopt test_openbsd::GetOption
