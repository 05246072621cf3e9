// SPDX-License-Identifier: MIT
// What a provider has to offer: one cipher under one key in one direction. Framing, nonces, padding and MACs are the record
// layer's; a provider sees only bytes. Calls on one Cipher never overlap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace so_crypt {

enum class CipherMode : uint8_t { kAead, kCbc, kCtr };

struct CipherInfo {
  const char* name;  // as in lib/ciphers.ts
  CipherMode mode;
  uint8_t key_length;
  uint8_t iv_length;   // of the nonce or IV that Seal, Open and Crypt take
  uint8_t block;       // 1 for AEAD and CTR
  uint8_t tag_length;  // 0 without AEAD
  bool one_update;     // the cipher wants a record's plaintext in one piece (CCM)
  bool nonce_is_sequence;  // SSH's ChaCha20-Poly1305: the nonce is the sequence number, and the length has a key of its own
};

// The ciphers of all providers; null for an unknown name.
const CipherInfo* FindCipher(const char* name);

enum class Outcome : uint8_t { kDone, kNotAuthentic, kFailed };

// One record for a Cipher. The fields are the arguments of Seal, Open and Crypt.
struct Record {
  const uint8_t* nonce;
  const uint8_t* aad;
  size_t aad_length;
  const uint8_t* in;
  size_t length;
  const uint8_t* tail;
  size_t tail_length;
  uint8_t* out;
  uint8_t* tag;             // Seal
  const uint8_t* sent_tag;  // Open
  Outcome outcome;
};

// A piece of a record's plaintext.
struct Part {
  const uint8_t* data;
  size_t length;
};

// The system call that failed last in this thread, and its errno; null after none.
struct Failure {
  const char* call;
  int error;
};
inline Failure& LastFailure() {
  static thread_local Failure failure = {nullptr, 0};
  return failure;
}

class Cipher {
 public:
  explicit Cipher(const CipherInfo& info) : info_(info) {}
  virtual ~Cipher() = default;
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  const CipherInfo& info() const { return info_; }

  // Another key of the same length, replacing the present one, which is wiped. False: the provider failed, nothing is usable.
  virtual bool SetKey(const uint8_t* key) = 0;

  // The present key, for handing the direction over to another engine; null: the provider does not keep it.
  virtual const uint8_t* Key() const { return nullptr; }

  // AEAD. Encrypts in (length) and then tail (tail_length) to out and writes the tag. `in == out` is allowed, no other overlap.
  virtual bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
                    size_t tail_length, uint8_t* out, uint8_t* tag) = 0;

  // The same with the plaintext in several parts, for a provider that gathers(). A part may lie where its ciphertext goes.
  virtual bool gathers() const { return false; }
  virtual bool SealParts(const uint8_t*, const uint8_t*, size_t, const Part*, size_t, uint8_t*, uint8_t*) { return false; }

  // AEAD. False: not authentic (or the provider failed); out then holds nothing that may be used.
  virtual bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
                    uint8_t* out) = 0;

  // CBC and CTR, in the direction that the Cipher was made for; length is a multiple of the block.
  virtual bool Crypt(const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out) = 0;

  // SSH's ChaCha20-Poly1305: encrypts or decrypts the 4 bytes of a packet's length.
  virtual bool CryptLength(const uint8_t*, const uint8_t*, uint8_t*) { return false; }

  // How many records are worth giving to it at once: more than one where a device works on several at a time.
  virtual size_t depth() const { return 1; }

  // The same for several records, each with its outcome. No record's output may be input of another.
  virtual void SealAll(Record* records, size_t count) {
    for (Record* r = records; r < records + count; r++) {
      const bool done = Seal(r->nonce, r->aad, r->aad_length, r->in, r->length, r->tail, r->tail_length, r->out, r->tag);
      r->outcome = done ? Outcome::kDone : Outcome::kFailed;
    }
  }
  virtual void OpenAll(Record* records, size_t count) {
    for (Record* r = records; r < records + count; r++) {
      const bool done = Open(r->nonce, r->aad, r->aad_length, r->in, r->length, r->sent_tag, r->out);
      r->outcome = done ? Outcome::kDone : Outcome::kNotAuthentic;
    }
  }
  virtual void CryptAll(Record* records, size_t count) {
    for (Record* r = records; r < records + count; r++)
      r->outcome = Crypt(r->nonce, r->in, r->length, r->out) ? Outcome::kDone : Outcome::kFailed;
  }

 private:
  const CipherInfo& info_;
};

// OpenSSL's EVP, in this process. Null: the OpenSSL that Node brings has no such cipher.
std::unique_ptr<Cipher> NewEvpCipher(const CipherInfo& info, const uint8_t* key, bool encrypt);

// Linux's ciphers, through AF_ALG sockets. driver: the kernel's name of a driver or algorithm, or null. max_length: the most that AAD,
// text and tag of a record may be. Null or false: LastFailure() tells why; "verify" is a driver that gives other results.
std::unique_ptr<Cipher> NewAfAlgCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt, size_t max_length);
bool CheckAfAlg(const CipherInfo& info, const char* driver, size_t max_length);

// The name that the kernel has for the cipher.
const char* AfAlgName(const CipherInfo& info);

// The kernel's ciphers by /dev/crypto. driver: the kernel's name of a driver, or null for its choice. False: LastFailure() tells why, as
// above; else name is the driver's, or "" where the system does not tell.
std::unique_ptr<Cipher> NewCryptodevCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt);
bool CheckCryptodev(const CipherInfo& info, const char* driver, size_t max_length, std::string* name);

}  // namespace so_crypt
