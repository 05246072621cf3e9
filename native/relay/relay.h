// SPDX-License-Identifier: MIT
// One connection that somebody in C++ reads and writes as plain bytes, by one end of a pair of local sockets: the relay has the other end
// and the connection, and seals and opens what goes between them. Both descriptors are its own: the connection's is a duplicate.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "../record/opener.h"
#include "../record/sealer.h"

namespace so_crypt {

// What a relay tells its owner.
enum class News : uint8_t {
  kNone = 0,
  kControl = 1,     // a record of another type than application data; ReadOn() goes on behind it
  kMisplaced = 2,   // application data where only a control record may come; nothing more is read
  kUnopened = 3,    // a record can't be opened; number: OpenStatus; nothing more is read
  kFin = 4,         // the connection's FIN
  kReadError = 5,   // number: -errno
  kKeyDue = 6,      // the write key has served long enough: nothing is sealed before there is another one
  kUnsealed = 7,    // number: SealStatus; nothing more is sealed
  kWriteError = 8,  // number: -errno; nothing more is sent
  kPlainEnd = 9,    // no more will come from the plain side, and all that came is sent
  kFlushed = 10,    // what Send() could not send at once is sent
  kPlainLeft = 11,  // behind EndReading(): the plain side has not read all; its owner may have stopped reading
  kPlainRead = 12,  // behind EndReading(): it has
};

// Memory that relays of one thread share while they run.
struct RelayMemory {
  static constexpr size_t kRead = 65'536;
  static constexpr size_t kWrite = 131'072;
  uint8_t read[kRead];
  uint8_t opened[kRead + 32'768];  // with an unfinished record before it
  uint8_t plain[kWrite];
  std::vector<uint8_t> sealed;
};

class Relay {
 public:
  // The directions are JavaScript's, which may also seal with them (alerts, KeyUpdates), change their keys and dispose of them; they live
  // as long as the relay. key_due: frames behind which there must be a new write key; 0: the key can't be changed.
  Relay(int wire, int plain, const std::unique_ptr<Sealer>* sealer, const std::unique_ptr<Opener>* opener, uint64_t key_due)
      : wire(wire), plain(plain), sealer_(sealer), opener_(opener), key_due_(key_due) {}
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const int wire;
  const int plain;

  // As edge-triggered polls tell it.
  void OnReady(bool is_plain, bool readable, bool writable, bool ended);

  // Goes on as far as it can without waiting, up to the first news. *more: it has stopped so that others have their turn.
  News Run(RelayMemory* memory, bool* more);

  // Of the news.
  int number() const { return number_; }
  uint8_t type() const { return type_; }
  const std::vector<uint8_t>& content() const { return content_; }
  // Whether application data has come since it was asked last.
  bool TakeHasData() { return std::exchange(has_data_, false); }

  // Bytes of the connection that somebody else has read before.
  void Feed(const uint8_t* bytes, size_t length) { unopened_.insert(unopened_.end(), bytes, bytes + length); }
  // Behind kControl. no_data: the next record must be a control record, too.
  void ReadOn(bool no_data);
  // Nothing more is read; the plain side has its end behind all that was opened. kPlainRead follows.
  void EndReading() { is_read_over_ = ends_plain_ = true; }
  // Sends records that somebody else has sealed, behind all others. False: not all of it is sent; kFlushed tells when it is.
  bool Send(const uint8_t* records, size_t length);
  // Seals and sends what there is on the plain side, as long as the connection takes it.
  void Drain(RelayMemory* memory);

  uint64_t bytes_read() const { return bytes_read_; }  // plain
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  News Write(RelayMemory* memory, bool* progress);
  News Seal(size_t length, RelayMemory* memory);
  bool Flush();
  News Read(RelayMemory* memory, bool* progress);
  News Open(const uint8_t* bytes, size_t length, RelayMemory* memory);
  void Deliver(const uint8_t* bytes, size_t length);
  bool FlushPlain();
  News EndReadingWith(News news, int number);
  News EndWritingWith(News news, int number);

  const std::unique_ptr<Sealer>* const sealer_;
  const std::unique_ptr<Opener>* const opener_;
  const uint64_t key_due_;
  // As far as it is known: a system call would not say EAGAIN.
  bool wire_readable_ = true, wire_writable_ = true, plain_readable_ = true, plain_writable_ = true;
  // Writing
  bool is_write_over_ = false;
  bool is_key_due_ = false;  // and somebody knows
  bool tells_flushed_ = false;
  bool sees_plain_end_ = false;  // behind what is still to be read
  int write_error_ = 0;  // not told yet
  std::vector<uint8_t> to_wire_;  // what the connection does not take yet; without memory nearly always
  size_t to_wire_at_ = 0;
  uint64_t bytes_written_ = 0;
  // Reading
  bool is_read_over_ = false;
  bool is_held_ = false;  // by a control record
  bool no_data_ = false;
  bool has_data_ = false;
  int plain_error_ = 0;  // not told yet
  bool ends_plain_ = false;
  bool has_plain_ended_ = false;
  bool asks_plain_ = false;  // whether all is read
  std::vector<uint8_t> unopened_;  // behind a control record, or fed
  std::vector<uint8_t> to_plain_;  // what the plain side does not take yet
  size_t to_plain_at_ = 0;
  uint64_t bytes_read_ = 0;
  // News
  int number_ = 0;
  uint8_t type_ = 0;
  std::vector<uint8_t> content_;
};

}  // namespace so_crypt
