// SPDX-License-Identifier: MIT
// The embedded provider: EVP of the OpenSSL that the node binary exports (EVP_EncryptInit(3)).
#include <openssl/evp.h>

#include <cstring>

#include "provider.h"

namespace so_crypt {
namespace {

// Fetched once a process and never freed: EVP_CIPHER_fetch takes longer than sealing a record.
const EVP_CIPHER* Fetch(const CipherInfo& info) {
  struct Entry {
    const char* name;
    EVP_CIPHER* cipher;
  };
  static const Entry entries[] = {
      {"aes-128-gcm", EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)},
      {"aes-256-gcm", EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)},
      {"aes-128-ccm", EVP_CIPHER_fetch(nullptr, "AES-128-CCM", nullptr)},
      {"aes-256-ccm", EVP_CIPHER_fetch(nullptr, "AES-256-CCM", nullptr)},
      {"chacha20-poly1305", EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)},
      {"aes-128-cbc", EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr)},
      {"aes-256-cbc", EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)},
      {"des-ede3-cbc", EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr)},
      {"aes-128-ctr", EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr)},
      {"aes-256-ctr", EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr)},
  };
  // aes-128-ccm8 is aes-128-ccm with a shorter tag.
  const bool ccm8 = info.one_update && info.tag_length == 8;
  const size_t length = strlen(info.name) - (ccm8 ? 1 : 0);
  for (const Entry& entry : entries)
    if (strlen(entry.name) == length && strncmp(entry.name, info.name, length) == 0) return entry.cipher;
  return nullptr;
}

class EvpCipher final : public Cipher {
 public:
  EvpCipher(const CipherInfo& info, bool encrypt) : Cipher(info), context_(EVP_CIPHER_CTX_new()), encrypt_(encrypt) {}
  ~EvpCipher() override { EVP_CIPHER_CTX_free(context_); }  // wipes the key schedule

  bool Init(const uint8_t* key) {
    const EVP_CIPHER* cipher = Fetch(info());
    if (cipher == nullptr || context_ == nullptr) return false;
    if (!EVP_CipherInit_ex2(context_, cipher, nullptr, nullptr, encrypt_, nullptr)) return false;
    if (info().one_update) {  // CCM's lengths go before the key (SP 800-38C: they are part of the first block)
      if (!EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_IVLEN, info().iv_length, nullptr)) return false;
      if (!EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, info().tag_length, nullptr)) return false;
    }
    return SetKey(key);
  }

  bool SetKey(const uint8_t* key) override {
    if (!EVP_CipherInit_ex2(context_, nullptr, key, nullptr, encrypt_, nullptr)) return false;
    return info().mode == CipherMode::kAead || EVP_CIPHER_CTX_set_padding(context_, 0);
  }

  bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
            size_t tail_length, uint8_t* out, uint8_t* tag) override {
    int n;
    if (!SetNonce(nonce)) return false;
    if (info().one_update && !EVP_CipherUpdate(context_, nullptr, &n, nullptr, static_cast<int>(length))) return false;
    if (!SetAad(aad, aad_length)) return false;
    // CCM needs its one update even of nothing; the others take none.
    if ((length > 0 || info().one_update) && !EVP_CipherUpdate(context_, out, &n, in, static_cast<int>(length))) return false;
    if (tail_length > 0 && !EVP_CipherUpdate(context_, out + length, &n, tail, static_cast<int>(tail_length))) return false;
    return EVP_CipherFinal_ex(context_, out + length + tail_length, &n) &&
           EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, info().tag_length, tag);
  }

  bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
            uint8_t* out) override {
    int n;
    if (!SetNonce(nonce)) return false;
    if (!EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, info().tag_length, const_cast<uint8_t*>(tag))) return false;
    if (info().one_update) {
      // CCM verifies in its one update and has no final step.
      return EVP_CipherUpdate(context_, nullptr, &n, nullptr, static_cast<int>(length)) && SetAad(aad, aad_length) &&
             EVP_CipherUpdate(context_, out, &n, in, static_cast<int>(length)) > 0;
    }
    if (!SetAad(aad, aad_length)) return false;
    if (length > 0 && !EVP_CipherUpdate(context_, out, &n, in, static_cast<int>(length))) return false;
    return EVP_CipherFinal_ex(context_, out + length, &n) > 0;
  }

  bool Crypt(const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out) override {
    int n;
    return SetNonce(iv) && EVP_CipherUpdate(context_, out, &n, in, static_cast<int>(length)) && static_cast<size_t>(n) == length;
  }

 private:
  bool SetNonce(const uint8_t* nonce) { return EVP_CipherInit_ex2(context_, nullptr, nullptr, nonce, -1, nullptr); }

  bool SetAad(const uint8_t* aad, size_t length) {
    int n;
    return length == 0 || EVP_CipherUpdate(context_, nullptr, &n, aad, static_cast<int>(length));
  }

  EVP_CIPHER_CTX* context_;
  int encrypt_;
};

}  // namespace

std::unique_ptr<Cipher> NewEvpCipher(const CipherInfo& info, const uint8_t* key, bool encrypt) {
  auto cipher = std::make_unique<EvpCipher>(info, encrypt);
  if (!cipher->Init(key)) return nullptr;
  return cipher;
}

}  // namespace so_crypt
