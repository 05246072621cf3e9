// SPDX-License-Identifier: MIT
#include "handshake.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "../providers/provider.h"
#include "../record/derive.h"
#include "profile.h"

namespace so_crypt {
namespace {

constexpr uint8_t kChangeCipherSpec = 20, kHandshakeType = 22, kApplicationData = 23;
// RFC 8446 5.1
constexpr size_t kMaxFragment = 16384;

int Digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

Handshake::Handshake(uint32_t number, int descriptor, std::shared_ptr<TlsContext> context, Clock::time_point end)
    : id(number), fd(descriptor), deadline(end), context_(std::move(context)) {}

Handshake::Handshake(Descriptor connection, std::shared_ptr<TlsContext> context, Clock::time_point end)
    : id(0), fd(connection.get()), deadline(end), connection_(std::move(connection)), context_(std::move(context)) {}

Handshake::~Handshake() { SSL_free(ssl_); }

int Handshake::Index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// A line of the key log: label, client's random, secret.
void Handshake::OnKeylog(const SSL* ssl, const char* line) {
  Handshake* const self = static_cast<Handshake*>(SSL_get_ex_data(ssl, Index()));
  const char* const first = strchr(line, ' ');
  const char* const second = first == nullptr ? nullptr : strchr(first + 1, ' ');
  if (self == nullptr || second == nullptr) return;
  const std::string label(line, first);
  TrafficSecret* const secret = label == "CLIENT_TRAFFIC_SECRET_0"   ? &self->client_
                                : label == "SERVER_TRAFFIC_SECRET_0" ? &self->server_
                                : label == "EXPORTER_SECRET"         ? &self->exporter_
                                                                     : nullptr;
  if (secret == nullptr) return;
  uint8_t bytes[TrafficSecret::kMaxLength];
  size_t length = 0;
  for (const char* p = second + 1; length < sizeof bytes; p += 2) {
    const int high = Digit(p[0]), low = high < 0 ? -1 : Digit(p[1]);
    if (low < 0) break;
    bytes[length++] = static_cast<uint8_t>(high << 4 | low);
  }
  secret->Set(bytes, length);
  OPENSSL_cleanse(bytes, sizeof bytes);
}

// Called for every ClientHello, with a name in it or without: the version is known by now, and nothing expensive has been done.
int Handshake::OnServername(SSL* ssl, int*, void*) {
  Handshake* const self = static_cast<Handshake*>(SSL_get_ex_data(ssl, Index()));
  if (self == nullptr || SSL_version(ssl) == TLS1_3_VERSION) return SSL_TLSEXT_ERR_OK;
  if (!self->has_sent_) self->is_declined_ = true;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool Handshake::Begin() {
  ssl_ = SSL_new(context_->get());
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in_ == nullptr || out_ == nullptr) {
    if (ssl_ == nullptr) {
      BIO_free(in_);
      BIO_free(out_);
    }
    return false;
  }
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_ex_data(ssl_, Index(), this);
  SSL_set_verify(ssl_, SSL_VERIFY_NONE, nullptr);
  SSL_set_accept_state(ssl_);
  return true;
}

Step Handshake::Run() {
  const Step flushed = Flush();
  if (flushed != Step::kWait || wants_to_write()) return flushed;
  uint8_t bytes[16384];
  for (;;) {
    const ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Step::kWait;
    if (n < 0) return FailBySystem(errno, "read");
    if (n == 0) return Fail(Failed::kEnded);
    if (!has_sent_) received_.insert(received_.end(), bytes, bytes + n);
    const Step step = Feed(bytes, static_cast<size_t>(n));
    // More than fits at once is rare: the next round will tell.
    if (step != Step::kWait || wants_to_write() || static_cast<size_t>(n) < sizeof bytes) return step;
  }
}

Step Handshake::Feed(const uint8_t* bytes, size_t length) {
  ERR_clear_error();
  if (ssl_ == nullptr && !Begin()) return FailByOpenSsl();
  if (BIO_write(in_, bytes, static_cast<int>(length)) != static_cast<int>(length)) return FailByOpenSsl();
  const int result = SSL_do_handshake(ssl_);
  const int why = SSL_get_error(ssl_, result);
  const bool is_failed = result != 1 && why != SSL_ERROR_WANT_READ;
  // Whoever does it instead will fail in the same way, and can tell all that there is to tell.
  if (!has_sent_ && (is_failed || is_declined_)) {
    ERR_clear_error();  // the thread may be Node's
    return Step::kDeclined;
  }
  if (is_failed) FailByOpenSsl();
  char* out;
  const long produced = BIO_get_mem_data(out_, &out);
  output_.assign(out, out + produced);
  sent_ = 0;
  (void)BIO_reset(out_);
  if (is_failed) {
    Flush();  // the alert, if it can be
    return Step::kFailed;
  }
  is_complete_ = result == 1;
  if (is_complete_ && (SSL_has_pending(ssl_) || client_.empty() || server_.empty() || !CountTickets())) return Fail(Failed::kHandOver);
  return Flush();
}

Step Handshake::Flush() {
  while (sent_ < output_.size()) {
    const ssize_t n = send(fd, output_.data() + sent_, output_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Step::kWait;
    if (n < 0) return FailBySystem(errno, "write");
    sent_ += static_cast<size_t>(n);
    if (!has_sent_) SecretBytes().swap(received_);
    has_sent_ = true;
  }
  return is_complete_ ? Step::kDone : Step::kWait;
}

// The server's tickets are the first records under its application keys, any number of them. They are opened to be sure: a sequence
// number that is too low would repeat a nonce.
bool Handshake::CountTickets() {
  suite_ = context_->FindSuite(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl_)));
  if (suite_ == nullptr) return false;
  if (output_.empty()) return true;
  DirectionInit init = {};
  init.layout = suite_->layout;
  if (!DeriveDirection(server_, *suite_->cipher, false, &init)) return false;
  init.limit = 65536;
  Opener opener(std::move(init), kApplicationData);
  std::vector<uint8_t> plain(output_.size());
  for (size_t at = 0; at < output_.size();) {
    if (output_.size() - at < 5) return false;
    const size_t length = 5 + (size_t{output_[at + 3]} << 8 | output_[at + 4]);
    if (output_.size() - at < length) return false;
    if (output_[at] != kChangeCipherSpec) {
      const OpenResult result = opener.Open(output_.data() + at, length, plain.data(), plain.size());
      if (result.status != OpenStatus::kControl || result.type != kHandshakeType || result.consumed != length) return false;
      tickets_++;
    }
    at += length;
  }
  return true;
}

// Exactly where OpenSSL's SSL object stopped. False: whoever has the secrets makes them.
bool Handshake::MakeDirections(Told* told) const {
  if (suite_->limit == 0) return false;
  DirectionInit write = {}, read = {};
  write.layout = read.layout = suite_->layout;
  if (!DeriveDirection(server_, *suite_->cipher, true, &write) || !DeriveDirection(client_, *suite_->cipher, false, &read)) return false;
  write.sequence = write.explicit_counter = tickets_;
  write.limit = suite_->limit;
  read.limit = UINT64_MAX;
  // RFC 6066 4
  const uint8_t asked = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl_));
  const size_t most = asked == 0 ? kMaxFragment : size_t{256} << asked;
  told->sealer = std::make_unique<Sealer>(std::move(write), std::min<size_t>(most, suite_->layout.max_payload), 0, false);
  told->opener = std::make_unique<Opener>(std::move(read), kApplicationData);
  return true;
}

// In the order that lib/handshake-workers/native-events.ts reads.
Told Handshake::TellDone(Profiles* profiles) {
  Told told = Tell(Event::kDone);
  ByteWriter* const to = &told.rest;
  to->Reserve(512);  // a vector that grows is wiped each time
  profiles->Pack(ssl_, to);
  to->U8(SSL_session_reused(ssl_) ? 1 : 0);
  if (!MakeDirections(&told)) {
    to->U32(static_cast<uint32_t>(tickets_));
    to->Short(server_.data(), server_.length());
    to->Short(client_.data(), client_.length());
  }
  to->Short(exporter_.data(), exporter_.length());
  uint8_t finished[EVP_MAX_MD_SIZE];
  to->Short(finished, SSL_get_finished(ssl_, finished, sizeof finished));
  to->Short(finished, SSL_get_peer_finished(ssl_, finished, sizeof finished));
  const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  to->U8(name == nullptr ? 0 : 1);
  if (name != nullptr) to->Text(name);
  char* rest;
  const long length = BIO_get_mem_data(in_, &rest);
  to->Long(rest, length > 0 ? static_cast<size_t>(length) : 0);
  return told;
}

Told Handshake::TellDeclined() {
  Told told = Tell(Event::kDeclined);
  told.rest.Long(received_.data(), received_.size());
  return told;
}

Told Handshake::TellFailed() {
  Told told = Tell(Event::kFailed);
  told.rest.Append(failure_);
  return told;
}

Step Handshake::Fail(Failed why) {
  if (!failure_.empty()) return Step::kFailed;
  // As with node:tls, nothing is known before the ClientHello is there.
  const char* const name = has_sent_ ? SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name) : nullptr;
  failure_.U8(!has_sent_ ? 0 : name == nullptr ? 1 : 2);
  failure_.Text(name);
  failure_.U8(static_cast<uint8_t>(why));
  return Step::kFailed;
}

Step Handshake::FailBySystem(int error, const char* call) {
  if (!failure_.empty()) return Step::kFailed;
  Fail(Failed::kSystem);
  failure_.U32(static_cast<uint32_t>(error));
  failure_.Text(call);
  return Step::kFailed;
}

// What Node makes an error of. From OpenSSL 3.2 on "record layer failure" stands behind the cause, and tells nobody anything.
Step Handshake::FailByOpenSsl() {
  const unsigned long error = ERR_peek_error();
  std::string cause;
  ERR_print_errors_cb(
      [](const char* line, size_t length, void* to) {
        static_cast<std::string*>(to)->assign(line, length);
        return 0;  // no more
      },
      &cause);
  ERR_clear_error();
  Fail(Failed::kOpenSsl);
  failure_.Long(cause.data(), cause.size());
  failure_.Text(ERR_lib_error_string(error));
  failure_.Text(ERR_reason_error_string(error));
  return Step::kFailed;
}

void Handshake::TimeOut() { Fail(Failed::kTimeout); }

}  // namespace so_crypt
