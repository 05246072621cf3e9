// SPDX-License-Identifier: MIT
// A server's SSL_CTX that Node has made of the application's options, for handshakes in threads of ours. No TLSWrap of Node's may ever
// use the same one: the callbacks here are then the only ones that ask for more than the SSL_CTX.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <vector>

#include "../providers/provider.h"
#include "../record/frame_layout.h"

namespace so_crypt {

// A cipher suite of TLS 1.3 for the record layer.
struct Suite13 {
  uint16_t id;
  const CipherInfo* cipher;
  FrameLayout layout;
  // Frames that may be sealed under one key. 0: directions are not to be made here; who gets the secrets makes them.
  uint64_t limit;
};

// Node tells an addon nothing of its SSL_CTX. But OpenSSL tells of each that is made: this finds the one that is made, in this thread, while
// there is an object of this class.
class NewSslContext {
 public:
  NewSslContext();
  ~NewSslContext();
  // Null: none was made, or several.
  SSL_CTX* get() const;

 private:
  static void OnNew(void* parent, void*, CRYPTO_EX_DATA*, int, long, void*);
};

class TlsContext {
 public:
  // protocols: the server's list for ALPN as on the wire, or empty
  TlsContext(SSL_CTX* context, std::vector<uint8_t> protocols, std::vector<Suite13> suites);
  ~TlsContext() { SSL_CTX_free(context_); }
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return context_; }
  const Suite13* FindSuite(uint16_t id) const;

 private:
  static int SelectProtocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned int in_length, void*);

  SSL_CTX* const context_;
  const std::vector<uint8_t> protocols_;
  const std::vector<Suite13> suites_;
};

}  // namespace so_crypt
