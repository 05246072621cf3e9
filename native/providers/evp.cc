// SPDX-License-Identifier: MIT
// The embedded provider: EVP of the OpenSSL that the node binary exports (EVP_EncryptInit(3)).
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>

#include "evp_ssh_chacha.h"
#include "live_list.h"
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
      {"aes-192-cbc", EVP_CIPHER_fetch(nullptr, "AES-192-CBC", nullptr)},
      {"aes-256-cbc", EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)},
      {"des-ede3-cbc", EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr)},
      {"aes-128-ctr", EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr)},
      {"aes-192-ctr", EVP_CIPHER_fetch(nullptr, "AES-192-CTR", nullptr)},
      {"aes-256-ctr", EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr)},
  };
  // aes-128-ccm8 is aes-128-ccm with a shorter tag.
  const bool ccm8 = info.one_update && info.tag_length == 8;
  const size_t length = strlen(info.name) - (ccm8 ? 1 : 0);
  for (const Entry& entry : entries)
    if (strlen(entry.name) == length && strncmp(entry.name, info.name, length) == 0) return entry.cipher;
  return nullptr;
}

// A context with its expanded key takes 1.5 KB, of which an idle connection needs nothing, and is made in a microsecond.
thread_local LiveList live_contexts(1024);

class EvpCipher final : public Cipher, private Live {
 public:
  EvpCipher(const CipherInfo& info, const EVP_CIPHER* evp, const uint8_t* key, bool encrypt)
      : Cipher(info), evp_(evp), encrypt_(encrypt) {
    memcpy(key_, key, info.key_length);
  }
  ~EvpCipher() override {
    DropContext();
    OPENSSL_cleanse(key_, sizeof key_);
  }

  const uint8_t* Key() const override { return key_; }

  bool SetKey(const uint8_t* key) override {
    DropContext();
    memcpy(key_, key, info().key_length);
    return true;
  }

  bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
            size_t tail_length, uint8_t* out, uint8_t* tag) override {
    const Part parts[] = {{in, length}, {tail, tail_length}};
    return SealParts(nonce, aad, aad_length, parts, tail_length > 0 ? 2 : 1, out, tag);
  }

  bool gathers() const override { return info().mode == CipherMode::kAead && !info().one_update; }

  bool SealParts(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const Part* parts, size_t count, uint8_t* out,
                 uint8_t* tag) override {
    int n;
    if (!Begin(nonce)) return false;
    if (info().one_update && !EVP_CipherUpdate(context_, nullptr, &n, nullptr, static_cast<int>(parts->length))) return false;
    if (!SetAad(aad, aad_length)) return false;
    for (const Part* part = parts; part < parts + count; out += part++->length) {
      // CCM needs its one update even of nothing; the others take none.
      if (part->length == 0 && !info().one_update) continue;
      if (!EVP_CipherUpdate(context_, out, &n, part->data, static_cast<int>(part->length))) return false;
    }
    return EVP_CipherFinal_ex(context_, out, &n) && EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, info().tag_length, tag);
  }

  bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
            uint8_t* out) override {
    int n;
    if (!Begin(nonce)) return false;
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
    return Begin(iv) && EVP_CipherUpdate(context_, out, &n, in, static_cast<int>(length)) && static_cast<size_t>(n) == length;
  }

 private:
  // Ready for a record with this nonce.
  bool Begin(const uint8_t* nonce) {
    if (context_ == nullptr && !MakeContext()) return false;
    live_contexts.Touch(this, 1);
    return EVP_CipherInit_ex2(context_, nullptr, nullptr, nonce, -1, nullptr);
  }

  bool MakeContext() {
    context_ = EVP_CIPHER_CTX_new();
    bool done = context_ != nullptr && EVP_CipherInit_ex2(context_, evp_, nullptr, nullptr, encrypt_, nullptr);
    if (done && info().one_update) {  // CCM's lengths go before the key (SP 800-38C: they are part of the first block)
      done = EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_IVLEN, info().iv_length, nullptr) &&
             EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, info().tag_length, nullptr);
    }
    done = done && EVP_CipherInit_ex2(context_, nullptr, key_, nullptr, encrypt_, nullptr) &&
           (info().mode == CipherMode::kAead || EVP_CIPHER_CTX_set_padding(context_, 0));
    if (!done) DropContext();
    return done;
  }

  void Release() override { DropContext(); }

  void DropContext() {
    if (context_ == nullptr) return;
    live_contexts.Remove(this);
    EVP_CIPHER_CTX_free(context_);  // wipes the expanded key
    context_ = nullptr;
  }

  bool SetAad(const uint8_t* aad, size_t length) {
    int n;
    return length == 0 || EVP_CipherUpdate(context_, nullptr, &n, aad, static_cast<int>(length));
  }

  const EVP_CIPHER* const evp_;
  EVP_CIPHER_CTX* context_ = nullptr;
  uint8_t key_[32];
  const int encrypt_;
};

}  // namespace

std::unique_ptr<Cipher> NewEvpCipher(const CipherInfo& info, const uint8_t* key, bool encrypt) {
  if (info.nonce_is_sequence) return NewSshChaCha(info, key);
  const EVP_CIPHER* evp = Fetch(info);
  if (evp == nullptr) return nullptr;
  return std::make_unique<EvpCipher>(info, evp, key, encrypt);
}

}  // namespace so_crypt
