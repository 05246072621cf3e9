// SPDX-License-Identifier: MIT
#include "ssh_io.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace so_crypt {
namespace {

constexpr uint8_t kNewKeys = 21;  // SSH_MSG_NEWKEYS, RFC 4253 12

// (sendmmsg() would mark all but the last one with MSG_BATCH.)
int SendOne(int fd, const Payload& payload) {
  for (bool again = false;; again = true) {
    ssize_t sent;
    do {
      sent = send(fd, payload.data, payload.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0 || errno != EBADMSG || again) return sent < 0 ? -errno : 0;
    // A packet that the kernel could not open has left its error on the whole socket, and the peer is yet to be told.
    int error;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
}

}  // namespace

ssize_t SendPayloads(int fd, const Payload* payloads, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const int error = payloads[i].length == 0 ? 0 : SendOne(fd, payloads[i]);
    if (error < 0) return i > 0 ? static_cast<ssize_t>(i) : error;
  }
  return static_cast<ssize_t>(count);
}

int ReceivePayloads(int fd, uint8_t* out, size_t capacity, size_t* partial, ReceivedPayload* payloads, size_t most, size_t* count) {
  size_t begin = 0, end = *partial, longest = 0;
  *count = 0;
  int status = static_cast<int>(ReceiveStatus::kMore);
  // One like those before should fit, or it is cut, and copied.
  while (*count < most && end < capacity && (end > begin || capacity - end >= longest)) {
    iovec vector = {out + end, capacity - end};
    msghdr message = {};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    ssize_t result;
    do {
      result = recvmsg(fd, &message, MSG_DONTWAIT);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        status = static_cast<int>(ReceiveStatus::kNothing);
      } else if (*count == 0) {
        status = -errno;
      }
      break;  // what is wrong shows again with the next call
    }
    const bool whole = message.msg_flags & MSG_EOR;
    if (result == 0 && !whole) {
      if (*count == 0) status = static_cast<int>(ReceiveStatus::kEnd);
      break;
    }
    end += static_cast<size_t>(result);
    if (!whole) continue;
    const size_t length = end - begin;
    if (length > 0) payloads[(*count)++] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(length)};
    const bool new_keys = length > 0 && out[begin] == kNewKeys;
    longest = std::max(longest, length);
    begin = end;
    if (!new_keys) continue;
    status = static_cast<int>(ReceiveStatus::kNewKeys);
    break;
  }
  *partial = end - begin;
  return status;
}

}  // namespace so_crypt
