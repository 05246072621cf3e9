// SPDX-License-Identifier: MIT
// One connection that somebody in C++ reads and writes as plain bytes, by one end of a pair of local sockets: the relay has the other end
// and the connection itself, and seals and opens what goes between them. It owns the pair's end; the connection's descriptor is its
// lender's, which closes it after the relay.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../record/opener.h"
#include "../record/sealer.h"

namespace so_crypt {

// What a relay tells its owner. Reading goes on behind kControl when it is told to; behind the others but kFlushed it is over.
enum class News : uint8_t {
  kNone = 0,
  kControl = 1,     // a record of another type than application data
  kUnopened = 2,    // a record can't be opened; number: OpenStatus
  kFin = 3,         // the connection's FIN
  kReadError = 4,   // number: errno
  kUnsealed = 5,    // number: SealStatus
  kWriteError = 6,  // number: errno
  kPlainEnd = 7,    // all that was written is sent, and no more will come
  kFlushed = 8,     // all that was sealed is sent, after somebody has asked to be told
};

// Memory that relays of one thread share while they run.
struct RelayMemory {
  static constexpr size_t kRead = 65'536;
  static constexpr size_t kWrite = 131'072;
  uint8_t in[kRead];
  uint8_t opened[kRead + 32'768];  // and an unfinished record before it
  uint8_t plain[kWrite];
  std::vector<uint8_t> sealed;
};

class Relay {
 public:
  // update_after: TLS 1.3, frames behind which the write key is updated; 0: it can't be.
  Relay(int wire, int plain, std::unique_ptr<Sealer> sealer, std::unique_ptr<Opener> opener, uint64_t update_after)
      : wire(wire), plain(plain), sealer_(std::move(sealer)), opener_(std::move(opener)), update_after_(update_after) {}
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const int wire;
  const int plain;

  // As edge-triggered polls tell it.
  void OnWire(bool readable, bool writable) {
    wire_readable_ |= readable;
    wire_writable_ |= writable;
  }
  void OnPlain(bool readable, bool writable) {
    plain_readable_ |= readable;
    plain_writable_ |= writable;
  }

  // Goes on as far as it can without waiting, up to the first news. *more: it has stopped before that, for others to have their turn.
  News Run(RelayMemory* memory, bool* more);

  // Of the news.
  int number() const { return number_; }
  uint8_t type() const { return type_; }
  const std::vector<uint8_t>& content() const { return content_; }

  // Bytes of records that somebody else has read before; they are opened first.
  void Feed(const uint8_t* bytes, size_t length);
  // Behind kControl.
  void ReadOn() { is_held_ = false; }
  // Nothing more comes from the connection: the plain side has its end behind what was opened.
  void EndReading() { is_read_over_ = ends_plain_ = true; }
  // Seals an alert or a handshake message behind all that was taken from the plain side.
  SealStatus SendControl(uint8_t type, const uint8_t* content, size_t length, RelayMemory* memory);
  SealStatus UpdateWriteKey(bool request, RelayMemory* memory);
  void TellWhenFlushed() { tells_flushed_ = true; }
  // Sends what there is on the plain side as long as the connection takes it.
  void Drain(RelayMemory* memory);

  Sealer* sealer() { return sealer_.get(); }
  Opener* opener() { return opener_.get(); }
  uint64_t plain_read() const { return plain_read_; }
  uint64_t plain_written() const { return plain_written_; }
  uint32_t write_key_updates() const { return write_key_updates_; }

 private:
  News Write(RelayMemory* memory, bool* progress);
  News Read(RelayMemory* memory, bool* progress);
  News Open(const uint8_t* bytes, size_t length, RelayMemory* memory);
  News Seal(const uint8_t* bytes, size_t length, RelayMemory* memory);
  SealStatus SealMore(uint8_t type, const uint8_t* bytes, size_t length, RelayMemory* memory);
  bool Send(const uint8_t* bytes, size_t length);
  bool Flush();
  void Deliver(const uint8_t* bytes, size_t length);
  News Tell(News news, int number = 0);

  std::unique_ptr<Sealer> sealer_;
  std::unique_ptr<Opener> opener_;
  const uint64_t update_after_;
  bool wire_readable_ = true, wire_writable_ = true, plain_readable_ = true, plain_writable_ = true;
  bool is_held_ = false;         // by a control record
  bool is_read_over_ = false;    // nothing more is read from the connection
  bool ends_plain_ = false;      // the plain side gets its end when it has all
  bool is_write_over_ = false;   // nothing more is taken from the plain side
  bool has_plain_ended_ = false;
  bool tells_flushed_ = false;
  // What the other side does not take yet; empty, and without memory, nearly always.
  std::vector<uint8_t> to_wire_;
  size_t to_wire_at_ = 0;
  std::vector<uint8_t> to_plain_;
  size_t to_plain_at_ = 0;
  std::vector<uint8_t> unopened_;  // behind a control record, or fed
  int write_error_ = 0;
  int number_ = 0;
  uint8_t type_ = 0;
  std::vector<uint8_t> content_;
  uint64_t plain_read_ = 0, plain_written_ = 0;
  uint32_t write_key_updates_ = 0;
};

}  // namespace so_crypt
