// SPDX-License-Identifier: MIT
#include "evp_ssh_chacha.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>

#include "live_list.h"

namespace so_crypt {
namespace {

constexpr size_t kKey = 32;
constexpr size_t kBlock = 64;  // of ChaCha20
constexpr size_t kTag = 16;
constexpr size_t kLengthField = 4;

const EVP_CIPHER* ChaCha20() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr);
  return cipher;
}

EVP_MAC* Poly1305() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  return mac;
}

// Contexts for this many directions of a thread: see evp.cc.
thread_local LiveList live_contexts(1024);

class SshChaCha final : public Cipher, private Live {
 public:
  SshChaCha(const CipherInfo& info, const uint8_t* key) : Cipher(info) { memcpy(key_, key, sizeof key_); }
  ~SshChaCha() override {
    DropContexts();
    OPENSSL_cleanse(key_, sizeof key_);
  }

  bool SetKey(const uint8_t* key) override {
    DropContexts();
    memcpy(key_, key, sizeof key_);
    return true;
  }

  bool CryptLength(const uint8_t* nonce, const uint8_t* in, uint8_t* out) override {
    int n;
    return Ready() && Start(length_, nonce) && EVP_CipherUpdate(length_, out, &n, in, kLengthField);
  }

  bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
            size_t tail_length, uint8_t* out, uint8_t* tag) override {
    const Part parts[] = {{in, length}, {tail, tail_length}};
    return SealParts(nonce, aad, aad_length, parts, tail_length > 0 ? 2 : 1, out, tag);
  }

  bool gathers() const override { return true; }

  bool SealParts(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const Part* parts, size_t count, uint8_t* out,
                 uint8_t* tag) override {
    if (!Ready() || !StartPacket(nonce)) return false;
    size_t length = 0;
    int n;
    for (const Part* part = parts; part < parts + count; length += part++->length)
      if (!EVP_CipherUpdate(text_, out + length, &n, part->data, static_cast<int>(part->length))) return false;
    return MakeTag(aad, aad_length, out, length, tag);
  }

  bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
            uint8_t* out) override {
    uint8_t expected[kTag];
    int n;
    if (!Ready() || !StartPacket(nonce) || !MakeTag(aad, aad_length, in, length, expected)) return false;
    const bool authentic = CRYPTO_memcmp(expected, tag, kTag) == 0;
    OPENSSL_cleanse(expected, sizeof expected);
    return authentic && EVP_CipherUpdate(text_, out, &n, in, static_cast<int>(length));
  }

  bool Crypt(const uint8_t*, const uint8_t*, size_t, uint8_t*) override { return false; }

 private:
  // Counter 0. EVP's IV is the counter in little-endian byte order and then the nonce, 8 bytes of each.
  static bool Start(EVP_CIPHER_CTX* context, const uint8_t* nonce) {
    uint8_t iv[16] = {};
    memcpy(iv + 8, nonce, 8);
    return EVP_CipherInit_ex2(context, nullptr, nullptr, iv, -1, nullptr);
  }

  // Block 0 of the key stream is Poly1305's key; the text's begins with block 1.
  bool StartPacket(const uint8_t* nonce) {
    static constexpr uint8_t kZeros[kBlock] = {};
    uint8_t block[kBlock];
    int n;
    const bool done = Start(text_, nonce) && EVP_CipherUpdate(text_, block, &n, kZeros, kBlock) &&
                      EVP_MAC_init(mac_, block, kKey, nullptr);
    OPENSSL_cleanse(block, sizeof block);
    return done;
  }

  bool MakeTag(const uint8_t* aad, size_t aad_length, const uint8_t* text, size_t length, uint8_t* tag) {
    size_t n;
    return EVP_MAC_update(mac_, aad, aad_length) && EVP_MAC_update(mac_, text, length) && EVP_MAC_final(mac_, tag, &n, kTag);
  }

  bool Ready() {
    if (text_ == nullptr) {
      text_ = EVP_CIPHER_CTX_new();
      length_ = EVP_CIPHER_CTX_new();
      mac_ = EVP_MAC_CTX_new(Poly1305());
      const bool done = text_ != nullptr && length_ != nullptr && mac_ != nullptr &&
                        EVP_EncryptInit_ex2(text_, ChaCha20(), key_, nullptr, nullptr) &&
                        EVP_EncryptInit_ex2(length_, ChaCha20(), key_ + kKey, nullptr, nullptr);
      if (!done) {
        DropContexts();
        return false;
      }
    }
    live_contexts.Touch(this, 1);
    return true;
  }

  void Release() override { DropContexts(); }

  void DropContexts() {
    live_contexts.Remove(this);
    EVP_CIPHER_CTX_free(text_);  // these wipe
    EVP_CIPHER_CTX_free(length_);
    EVP_MAC_CTX_free(mac_);
    text_ = length_ = nullptr;
    mac_ = nullptr;
  }

  EVP_CIPHER_CTX* text_ = nullptr;
  EVP_CIPHER_CTX* length_ = nullptr;
  EVP_MAC_CTX* mac_ = nullptr;
  uint8_t key_[2 * kKey];
};

}  // namespace

std::unique_ptr<Cipher> NewSshChaCha(const CipherInfo& info, const uint8_t* key) {
  if (ChaCha20() == nullptr || Poly1305() == nullptr) return nullptr;
  return std::make_unique<SshChaCha>(info, key);
}

}  // namespace so_crypt
