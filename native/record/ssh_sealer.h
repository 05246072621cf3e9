// SPDX-License-Identifier: MIT
// The write direction of SSH: payloads in, a packet for each out.
#pragma once
#include "sealer.h"
#include "ssh_direction.h"

namespace so_crypt {

class SshSealer : public SshDirection {
 public:
  using SshDirection::SshDirection;

  // Most bytes that a packet is longer than its payload.
  size_t MaxOverhead() const { return kSshLengthField + 1 + kSshMinPadding + block() - 1 + tag(); }

  // One packet, of a payload in two parts. Adds to written. room: of out, at least the payload's length and MaxOverhead().
  SealStatus SealParts(const Chunk& head, const Chunk& body, uint8_t* out, size_t room, size_t* written);

  // One packet for each payload. Sets written, also on failure: the packets before it are good.
  SealStatus Seal(const Chunk* payloads, size_t count, uint8_t* out, size_t capacity, size_t* written);

 private:
  SealStatus SealPacket(const Chunk& head, const Chunk& body, uint8_t* out, size_t* written);
};

}  // namespace so_crypt
