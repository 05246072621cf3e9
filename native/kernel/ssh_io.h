// SPDX-License-Identifier: MIT
// SSH's payloads of an armed so_crypt socket: one sendmsg() is one, and one is what recvmsg() gives up to MSG_EOR. Several with one call.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace so_crypt {

// As many of them as the kernel takes now, each whole; -errno when that is none. Those of no bytes are left out.
struct Payload {
  const uint8_t* data;
  size_t length;
};
ssize_t SendPayloads(int fd, const Payload* payloads, size_t count);

enum class ReceiveStatus : int {
  kNothing = 0,  // no more for now
  kMore = 1,     // there may be more
  kNewKeys = 2,  // the last one is SSH_MSG_NEWKEYS
  kEnd = 3,      // FIN
};

struct ReceivedPayload {
  uint32_t offset;
  uint32_t length;
};

// Reads payloads into out, whose first *partial bytes are the beginning of the first one. Behind the last one, *partial bytes are the
// beginning of another. A ReceiveStatus, or -errno, which comes without payloads.
int ReceivePayloads(int fd, uint8_t* out, size_t capacity, size_t* partial, ReceivedPayload* payloads, size_t most, size_t* count);

}  // namespace so_crypt
