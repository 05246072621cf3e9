// SPDX-License-Identifier: MIT
// The server's side of one TLS 1.3 handshake. As long as nothing has been sent, it can be declined: whoever does it instead gets the bytes
// that were read. So only what is common is done here.
#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <vector>

#include "../record/key_schedule.h"
#include "bytes.h"
#include "descriptor.h"
#include "outlet.h"
#include "tls_context.h"

namespace so_crypt {

class Profiles;

enum class Step : uint8_t { kWait, kDone, kDeclined, kFailed };

// What went wrong: see lib/handshake-workers/native-events.ts.
enum class Failed : uint8_t { kOpenSsl = 1, kSystem = 2, kEnded = 3, kTimeout = 4, kHandOver = 5 };

class Handshake {
 public:
  using Clock = std::chrono::steady_clock;

  // On a descriptor that somebody else owns, who has given it a number.
  Handshake(uint32_t id, int fd, std::shared_ptr<TlsContext> context, Clock::time_point deadline);
  Handshake(Descriptor connection, std::shared_ptr<TlsContext> context, Clock::time_point deadline);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  const uint32_t id;
  const int fd;
  const Clock::time_point deadline;
  // For the thread that has it.
  uint64_t age = 0;
  bool is_counted = false;
  Clock::time_point since;
  uint32_t watched = 0;

  // The client has said something.
  bool has_begun() const { return ssl_ != nullptr; }
  bool wants_to_write() const { return sent_ < output_.size(); }

  // Reads and writes as much as goes without waiting.
  Step Run();

  // Somebody else's descriptor.
  bool is_lent() const { return !connection_; }

  // The outcome, when Run has returned that it is done, has failed or is declined; with the connection, if that is its own.
  Told TellDone(Profiles* profiles);
  Told TellDeclined();
  Told TellFailed();
  void TimeOut();

  static void OnKeylog(const SSL* ssl, const char* line);
  static int OnServername(SSL* ssl, int* alert, void* argument);

 private:
  static int Index();
  bool Begin();
  Step Feed(const uint8_t* bytes, size_t length);
  Step Flush();
  Step FailBySystem(int error, const char* call);
  Step FailByOpenSsl();
  Step Fail(Failed why);
  bool CountTickets();
  bool MakeDirections(Told* told) const;
  Told Tell(Event event) { return {event, id, std::move(connection_), nullptr, nullptr, {}}; }

  Descriptor connection_;
  const std::shared_ptr<TlsContext> context_;
  SSL* ssl_ = nullptr;
  BIO* in_ = nullptr;  // ssl_'s
  BIO* out_ = nullptr;
  const Suite13* suite_ = nullptr;
  SecretBytes received_;        // until something is sent
  std::vector<uint8_t> output_;  // of the last step
  size_t sent_ = 0;
  bool has_sent_ = false;
  bool is_declined_ = false;
  bool is_complete_ = false;  // as far as OpenSSL is concerned
  uint64_t tickets_ = 0;
  TrafficSecret client_, server_, exporter_;
  ByteWriter failure_;
};

}  // namespace so_crypt
