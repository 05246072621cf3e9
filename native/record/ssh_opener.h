// SPDX-License-Identifier: MIT
// The read direction of SSH: bytes of the stream in, cut anywhere; verified payloads out.
#pragma once
#include "ssh_direction.h"

namespace so_crypt {

enum class SshOpenStatus : int {
  kNeedMore = 0,     // all input is taken
  kNewKeys = 1,      // the last payload is SSH_MSG_NEWKEYS: what comes behind it is under another key, and is not touched
  kCapacity = 2,     // out, or the list of payloads, is full; call again
  kBadMac = -1,      // not authentic
  kTooLong = -2,     // packet_length is larger than allowed
  kBadLength = -3,   // packet_length is too small, or no whole number of blocks
  kBadPadding = -4,  // less than 4 bytes, or more than the packet has
  kLimit = -5,       // nothing more may be opened under this key
  kProvider = -6,    // the cipher failed; LastFailure() may tell why
};

// What Open() stops at.
enum class SshOpenMode : uint8_t {
  kAll = 0,     // SSH_MSG_NEWKEYS
  kOne = 1,     // the first payload: payloads are compressed, and their first byte is no message number
  kJoined = 2,  // as kAll, and several long SSH_MSG_CHANNEL_DATA in a row for the same channel, or SSH_MSG_CHANNEL_WINDOW_ADJUST, come out as one
};

// Where a payload lies in out.
struct SshPayload {
  uint32_t offset;
  uint32_t length;
};

struct SshOpenResult {
  SshOpenStatus status;
  size_t consumed;  // bytes of the input that are done with
  size_t count;     // payloads
  size_t joined;    // packets beyond one for each
};

class SshOpener : public SshDirection {
 public:
  explicit SshOpener(SshInit&& init) : SshDirection(std::move(init)), peek_(std::move(init.peek)) {}

  // Takes input up to SSH_MSG_NEWKEYS, an error, or what out and payloads (at most `most`) can take. The beginning of a packet at the
  // input's end is kept. out must not overlap with in; it never takes more than stashed() + length bytes.
  SshOpenResult Open(const uint8_t* in, size_t length, SshOpenMode mode, uint8_t* out, size_t capacity, SshPayload* payloads, size_t most);

  // Bytes of an unfinished packet.
  size_t stashed() const { return stashed_; }

  // Bytes that the unfinished packet lacks, or what tells its length does; 0 between two packets.
  size_t missing() const { return stashed_ == 0 ? 0 : (total_ == 0 ? head() : total_) - stashed_; }

  // A packet was not authentic, and its length must not show: bytes are swallowed before that is told.
  bool discarding() const { return discarding_; }

 private:
  size_t head() const { return order_ == SshOrder::kEncryptAndMac ? block() : kSshLengthField; }
  SshOpenStatus ReadLength(const uint8_t* start, size_t* total) const;
  SshOpenStatus NextPacket(const uint8_t* in, size_t length, size_t* taken, const uint8_t** start);
  SshOpenStatus OpenPacket(const uint8_t* start, uint8_t* out, SshPayload* payload);
  SshOpenStatus OpenBehind(const uint8_t* start, uint8_t* out, SshPayload* before, SshPayload* payload);
  SshOpenStatus Fail(SshOpenStatus status, size_t taken, size_t verified);
  SshOpenStatus Discard(size_t length, size_t* taken);
  void Stash(const uint8_t* data, size_t length, size_t room);

  const std::unique_ptr<Cipher> peek_;
  std::unique_ptr<uint8_t[]> stash_;
  size_t stashed_ = 0;
  size_t stash_room_ = 0;
  size_t total_ = 0;  // of the next packet with its MAC; 0: not known yet
  bool discarding_ = false;
  size_t discard_ = 0;   // bytes that are still to come
  size_t verified_ = 0;  // bytes that a MAC has been computed of, of the packet that is discarded
};

}  // namespace so_crypt
