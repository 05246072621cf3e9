// SPDX-License-Identifier: MIT
// The read direction: bytes of the stream in, cut anywhere; verified plaintext out.
#pragma once
#include "direction.h"

namespace so_crypt {

enum class OpenStatus : int {
  kNeedMore = 0,      // all input is taken
  kControl = 1,       // a frame of another type than application data; the caller looks at it and calls again
  kCapacity = 2,      // out is full; call again with another one
  kBadMac = -1,       // not authentic
  kOverflow = -2,     // longer than the layout allows
  kBadType = -3,      // a type that can't come under this layout
  kBadHeader = -4,    // not the layout's header: other version, other constant bytes
  kBadLength = -5,    // too short, or no whole number of blocks
  kNoType = -6,       // TLS 1.3: nothing but zeros
  kLimit = -7,        // nothing more may be opened under this key
  kNotAFrame = -8,    // no content type of TLS at all
  kProvider = -9,     // the cipher failed; LastFailure() may tell why
};

struct OpenResult {
  OpenStatus status;
  size_t consumed;        // bytes of the input that are done with
  size_t produced;        // bytes of application data in out
  uint8_t type;           // kControl: the content type
  size_t control_length;  // kControl: bytes of its content, which lie in out behind the application data
};

class Opener : public Direction {
 public:
  // application_type: the content type that is data; 0 for layouts without types.
  Opener(DirectionInit&& init, uint8_t application_type) : Direction(std::move(init)), application_type_(application_type) {}

  // Takes input up to the first control frame or error. The beginning of a frame at the input's end is kept. out must not
  // overlap with in; it never takes more than stashed() + length bytes.
  OpenResult Open(const uint8_t* in, size_t length, uint8_t* out, size_t capacity);

  // Bytes of an unfinished frame.
  size_t stashed() const { return stashed_; }

 private:
  OpenStatus CheckHeader(const uint8_t* header, size_t* total) const;
  struct Frame;
  OpenStatus Begin(const uint8_t* start, size_t total, size_t ahead, uint8_t* out, Frame* frame, Record* record) const;
  OpenStatus Finish(const Frame& frame, const Record& record, size_t* payload, uint8_t* type);
  OpenStatus FinishMacThenEncrypt(const Frame& frame, uint8_t* out, size_t length, size_t* payload) const;
  OpenStatus FinishEncryptThenMac(const uint8_t* out, size_t length, size_t* payload) const;
  OpenStatus OpenFrame(const uint8_t* start, size_t total, uint8_t* out, size_t* payload, uint8_t* type);
  void OpenFrames(const uint8_t* start, size_t total, const uint8_t* in, size_t length, uint8_t* out, size_t capacity,
                  OpenResult* result);
  bool Take(size_t total, size_t payload, uint8_t type, OpenResult* result);
  OpenStatus NextFrame(const uint8_t* in, size_t length, size_t* taken, const uint8_t** start, size_t* total);
  void Stash(const uint8_t* data, size_t length, size_t room);

  const uint8_t application_type_;
  std::unique_ptr<uint8_t[]> stash_;
  size_t stashed_ = 0;
  size_t stash_room_ = 0;
};

}  // namespace so_crypt
