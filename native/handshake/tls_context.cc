// SPDX-License-Identifier: MIT
#include "tls_context.h"

#include <cstdlib>

#include "handshake.h"

namespace so_crypt {
namespace {

struct Found {
  bool is_looking;
  int count;
  SSL_CTX* last;
};
thread_local Found found;

}  // namespace

NewSslContext::NewSslContext() {
  // The addon may be unloaded (with the last environment that uses it), and OpenSSL stays.
  static const int index = [] {
    static int made;
    made = SSL_CTX_get_ex_new_index(0, nullptr, OnNew, nullptr, nullptr);
    std::atexit([] { CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, made); });
    return made;
  }();
  found = {index >= 0, 0, nullptr};
}

NewSslContext::~NewSslContext() { found.is_looking = false; }

SSL_CTX* NewSslContext::get() const { return found.count == 1 ? found.last : nullptr; }

void NewSslContext::OnNew(void* parent, void*, CRYPTO_EX_DATA*, int, long, void*) {
  if (!found.is_looking) return;
  found.count++;
  found.last = static_cast<SSL_CTX*>(parent);
}

TlsContext::TlsContext(SSL_CTX* context, std::vector<uint8_t> protocols, std::vector<Suite13> suites)
    : context_(context), protocols_(std::move(protocols)), suites_(std::move(suites)) {
  SSL_CTX_up_ref(context);
  SSL_CTX_set_keylog_callback(context, Handshake::OnKeylog);
  SSL_CTX_set_tlsext_servername_callback(context, Handshake::OnServername);
  if (!protocols_.empty()) SSL_CTX_set_alpn_select_cb(context, SelectProtocol, this);
}

const Suite13* TlsContext::FindSuite(uint16_t id) const {
  for (const Suite13& suite : suites_)
    if (suite.id == id) return &suite;
  return nullptr;
}

int TlsContext::SelectProtocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned int in_length,
                               void* self) {
  const std::vector<uint8_t>& own = static_cast<TlsContext*>(self)->protocols_;
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), length, own.data(), static_cast<unsigned>(own.size()), in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace so_crypt
