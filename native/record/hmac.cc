// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>

#include "constant_time.h"
#include "frame_layout.h"

namespace so_crypt {
namespace {

struct Sha1 {
  using Context = SHA_CTX;
  static constexpr size_t kBlock = 64, kDigest = 20, kLengthField = 8, kWord = 4;
  static void Init(Context* c) { SHA1_Init(c); }
  static void Update(Context* c, const void* p, size_t n) { SHA1_Update(c, p, n); }
  static void Final(uint8_t* out, Context* c) { SHA1_Final(out, c); }
  static void Transform(Context* c, const uint8_t* block) { SHA1_Transform(c, block); }
  static uint64_t Word(const Context& c, size_t i) {
    const SHA_LONG words[] = {c.h0, c.h1, c.h2, c.h3, c.h4};
    return words[i];
  }
};

struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr size_t kBlock = 64, kDigest = 32, kLengthField = 8, kWord = 4;
  static void Init(Context* c) { SHA256_Init(c); }
  static void Update(Context* c, const void* p, size_t n) { SHA256_Update(c, p, n); }
  static void Final(uint8_t* out, Context* c) { SHA256_Final(out, c); }
  static void Transform(Context* c, const uint8_t* block) { SHA256_Transform(c, block); }
  static uint64_t Word(const Context& c, size_t i) { return c.h[i]; }
};

struct Sha384 {
  using Context = SHA512_CTX;
  static constexpr size_t kBlock = 128, kDigest = 48, kLengthField = 16, kWord = 8;
  static void Init(Context* c) { SHA384_Init(c); }
  static void Update(Context* c, const void* p, size_t n) { SHA384_Update(c, p, n); }
  static void Final(uint8_t* out, Context* c) { SHA384_Final(out, c); }
  static void Transform(Context* c, const uint8_t* block) { SHA512_Transform(c, block); }
  static uint64_t Word(const Context& c, size_t i) { return c.h[i]; }
};

struct Sha512 : Sha384 {
  static constexpr size_t kDigest = 64;
  static void Init(Context* c) { SHA512_Init(c); }
  static void Final(uint8_t* out, Context* c) { SHA512_Final(out, c); }
};

template <typename Hash>
class HmacOf final : public Hmac {
 public:
  HmacOf(const uint8_t* key, size_t key_length) {
    uint8_t block[Hash::kBlock] = {};
    typename Hash::Context context;
    if (key_length > Hash::kBlock) {
      Hash::Init(&context);
      Hash::Update(&context, key, key_length);
      Hash::Final(block, &context);
    } else if (key_length > 0) {
      memcpy(block, key, key_length);
    }
    for (uint8_t& byte : block) byte ^= 0x36;
    Hash::Init(&inner_);
    Hash::Update(&inner_, block, sizeof block);
    for (uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
    Hash::Init(&outer_);
    Hash::Update(&outer_, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&context, sizeof context);
  }

  ~HmacOf() override {
    OPENSSL_cleanse(&inner_, sizeof inner_);
    OPENSSL_cleanse(&outer_, sizeof outer_);
  }

  size_t length() const override { return Hash::kDigest; }

  void Compute(const uint8_t* a, size_t a_length, const uint8_t* b, size_t b_length, uint8_t* out) const override {
    typename Hash::Context context = inner_;
    Hash::Update(&context, a, a_length);
    Hash::Update(&context, b, b_length);
    uint8_t digest[Hash::kDigest];
    Hash::Final(digest, &context);
    Finish(digest, out);
  }

  void ComputeSecretLength(const uint8_t* a, size_t a_length, const uint8_t* b, size_t b_length, size_t b_max,
                           uint8_t* out) const override {
    constexpr size_t kBlock = Hash::kBlock;
    const size_t secret_end = a_length + b_length;  // of the message, secret
    const size_t max_end = a_length + b_max;
    const size_t min_end = a_length + (b_max > 255 ? b_max - 255 : 0);
    auto byte_at = [&](size_t i) -> size_t { return i < a_length ? a[i] : i < max_end ? b[i - a_length] : 0; };  // i is public

    // Blocks that hold message bytes whatever the secret is.
    typename Hash::Context context = inner_;
    const size_t certain = min_end / kBlock * kBlock;
    const size_t from_a = certain < a_length ? certain : a_length;
    Hash::Update(&context, a, from_a);
    Hash::Update(&context, b, certain - from_a);

    // All blocks that could be the last one: each is built with masks and hashed, and the state after the right one is kept.
    const size_t bits = (kBlock + secret_end) * 8;
    const size_t last = (secret_end + Hash::kLengthField) / kBlock;  // secret; kBlock is a power of two: a shift
    uint64_t state[8] = {};
    for (size_t i = certain / kBlock; i <= (max_end + Hash::kLengthField) / kBlock; i++) {
      const size_t is_last = MaskEqual(i, last);
      uint8_t block[kBlock];
      for (size_t j = 0; j < kBlock; j++) {
        const size_t at = i * kBlock + j;
        size_t value = byte_at(at) & MaskLess(at, secret_end);
        value |= 0x80 & MaskEqual(at, secret_end);
        if (j >= kBlock - 8) value |= (bits >> 8 * (kBlock - 1 - j)) & 0xff & is_last;
        block[j] = static_cast<uint8_t>(value);
      }
      Hash::Transform(&context, block);
      for (size_t w = 0; w < Hash::kDigest / Hash::kWord; w++)
        state[w] |= Hash::Word(context, w) & (0 - static_cast<uint64_t>(is_last & 1));
    }
    uint8_t digest[Hash::kDigest];
    for (size_t w = 0; w < Hash::kDigest / Hash::kWord; w++) PutBigEndian(digest + w * Hash::kWord, state[w], Hash::kWord);
    Finish(digest, out);
  }

 private:
  void Finish(const uint8_t* digest, uint8_t* out) const {
    typename Hash::Context context = outer_;
    Hash::Update(&context, digest, Hash::kDigest);
    Hash::Final(out, &context);
  }

  typename Hash::Context inner_;
  typename Hash::Context outer_;
};

}  // namespace

std::unique_ptr<Hmac> NewHmac(const char* name, const uint8_t* key, size_t key_length) {
  if (strcmp(name, "hmac-sha1") == 0) return std::make_unique<HmacOf<Sha1>>(key, key_length);
  if (strcmp(name, "hmac-sha256") == 0) return std::make_unique<HmacOf<Sha256>>(key, key_length);
  if (strcmp(name, "hmac-sha384") == 0) return std::make_unique<HmacOf<Sha384>>(key, key_length);
  if (strcmp(name, "hmac-sha512") == 0) return std::make_unique<HmacOf<Sha512>>(key, key_length);
  return nullptr;
}

}  // namespace so_crypt
