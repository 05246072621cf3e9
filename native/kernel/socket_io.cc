// SPDX-License-Identifier: MIT
#include "socket_io.h"

#include <sys/socket.h>
#include <sys/uio.h>
#ifdef __linux__
#include <poll.h>
#include <sys/sendfile.h>
#endif

#include <cerrno>
#include <cstring>

namespace so_crypt {
namespace {

// Of kTLS and so_crypt.
constexpr int kSolTls = 282;
constexpr int kSetRecordType = 1;
constexpr int kGetRecordType = 2;
constexpr uint8_t kApplicationData = 23;

union Control {
  char bytes[CMSG_SPACE(sizeof(uint8_t))];
  cmsghdr align;
};

ssize_t ResultOf(ssize_t result) { return result < 0 ? -errno : result; }

}  // namespace

ssize_t ReceiveRecord(int fd, uint8_t* out, size_t capacity, uint8_t* type) {
  iovec vector = {out, capacity};
  Control control;
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  ssize_t result;
  do {
    result = recvmsg(fd, &message, MSG_DONTWAIT);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  // An empty frame of a protocol without types ends with MSG_EOR; FIN does not.
  *type = result == 0 && !(message.msg_flags & MSG_EOR) ? 0 : kApplicationData;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == kSolTls && header->cmsg_type == kGetRecordType) memcpy(type, CMSG_DATA(header), 1);
  return result;
}

ssize_t ReceiveBytes(int fd, uint8_t* out, size_t capacity) {
  ssize_t result;
  do {
    result = recv(fd, out, capacity, MSG_DONTWAIT);
  } while (result < 0 && errno == EINTR);
  return ResultOf(result);
}

ssize_t SendRecord(int fd, uint8_t type, const uint8_t* content, size_t length) {
  iovec vector = {const_cast<uint8_t*>(content), length};
  Control control = {};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = kSolTls;
  header->cmsg_type = kSetRecordType;
  header->cmsg_len = CMSG_LEN(sizeof(uint8_t));
  memcpy(CMSG_DATA(header), &type, 1);
  for (bool again = false;; again = true) {
    ssize_t result;
    do {
      result = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (result < 0 && errno == EINTR);
    if (result >= 0 || errno != EBADMSG || again) return ResultOf(result);
    // A record that the kernel could not open has left its error on the whole socket, and the peer is yet to be told by an alert.
    int error;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
}

#ifdef __linux__
namespace {
// The connection was reset, or is shut down in both directions.
bool IsHungUp(int fd) {
  pollfd asked = {fd, 0, 0};
  return poll(&asked, 1, 0) == 1 && (asked.revents & POLLHUP) != 0;
}
}  // namespace

ssize_t SendFileRange(int fd, int file, uint64_t offset, size_t count) {
  off_t from = static_cast<off_t>(offset);
  ssize_t result;
  do {
    result = sendfile(fd, file, &from, count);
  } while (result < 0 && errno == EINTR);
  // A reset in the middle only makes the call end early. TCP says so again when it is asked for more; kTLS, which has taken the error off
  // the socket (sk_stream_error() behind bytes that count as sent), seals and drops all that follows and calls it sent.
  if (result > 0 && static_cast<size_t>(result) < count && IsHungUp(fd)) return -EPIPE;
  return ResultOf(result);
}
#endif

}  // namespace so_crypt
