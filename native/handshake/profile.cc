// SPDX-License-Identifier: MIT
#include "profile.h"

#include <openssl/x509.h>

namespace so_crypt {
namespace {

constexpr int kMostAlgorithms = 128;

// As getSharedSigalgs() of Node's TLSSocket names them.
std::string AlgorithmName(int sign, int hash) {
  const char* sign_name;
  switch (sign) {
    case EVP_PKEY_RSA:
      sign_name = "RSA";
      break;
    case EVP_PKEY_RSA_PSS:
      sign_name = "RSA-PSS";
      break;
    case EVP_PKEY_DSA:
      sign_name = "DSA";
      break;
    case EVP_PKEY_EC:
      sign_name = "ECDSA";
      break;
    case NID_ED25519:
      sign_name = "Ed25519";
      break;
    case NID_ED448:
      sign_name = "Ed448";
      break;
    default:
      sign_name = OBJ_nid2sn(sign);
  }
  const char* const hash_name = OBJ_nid2sn(hash);
  return std::string(sign_name == nullptr ? "UNDEF" : sign_name) + "+" + (hash_name == nullptr ? "UNDEF" : hash_name);
}

}  // namespace

void Profiles::Pack(SSL* ssl, ByteWriter* to) {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  X509* const own = SSL_get_certificate(ssl);
  const unsigned char* protocol;
  unsigned protocol_length;
  SSL_get0_alpn_selected(ssl, &protocol, &protocol_length);
  const uint8_t fragment = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl));
  int count = SSL_get_shared_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr);
  if (count > kMostAlgorithms) count = kMostAlgorithms;
  if (count < 0) count = 0;

  std::string key;
  const auto add = [&key](const void* data, size_t length) { key.append(static_cast<const char*>(data), length); };
  const uint16_t suite = SSL_CIPHER_get_protocol_id(cipher);
  add(&suite, sizeof suite);
  add(&own, sizeof own);
  add(&fragment, sizeof fragment);
  key.push_back(static_cast<char>(protocol_length));
  add(protocol, protocol_length);
  for (int i = 0; i < count; i++) {
    unsigned char raw_sign, raw_hash;
    SSL_get_shared_sigalgs(ssl, i, nullptr, nullptr, nullptr, &raw_sign, &raw_hash);
    key.push_back(static_cast<char>(raw_sign));
    key.push_back(static_cast<char>(raw_hash));
  }
  const auto known = known_.find(key);
  if (known != known_.end()) {
    to->U8(0);
    to->U32(known->second);
    return;
  }
  const uint32_t number = known_.size() < kMost ? first_ + static_cast<uint32_t>(known_.size()) + 1 : 0;
  if (number != 0) known_.emplace(std::move(key), number);
  to->U8(1);
  to->U32(number);
  to->Text(SSL_CIPHER_get_name(cipher));
  to->Text(SSL_CIPHER_standard_name(cipher));
  to->Text(SSL_CIPHER_get_version(cipher));
  to->Text(SSL_get_version(ssl));
  to->U8(fragment);
  to->Short(protocol, protocol_length);
  to->U8(static_cast<uint8_t>(count));
  for (int i = 0; i < count; i++) {
    int sign, hash;
    SSL_get_shared_sigalgs(ssl, i, &sign, &hash, nullptr, nullptr, nullptr);
    to->Text(AlgorithmName(sign, hash).c_str());
  }
  unsigned char* der = nullptr;
  const int der_length = own == nullptr ? 0 : i2d_X509(own, &der);
  to->Long(der, der_length > 0 ? static_cast<size_t>(der_length) : 0);
  OPENSSL_free(der);
}

}  // namespace so_crypt
