// SPDX-License-Identifier: MIT
#include "verify.h"

#include <errno.h>

namespace so_crypt {
namespace {

bool Fail(const char* call, int error) {
  LastFailure() = {call, error};
  return false;
}

bool Seal(Cipher* cipher, const Sample& sample, uint8_t* out) {
  const size_t n = sample.text.size();
  if (cipher->info().mode != CipherMode::kAead) return cipher->Crypt(sample.nonce, sample.text.data(), n, out);
  return cipher->Seal(sample.nonce, sample.aad, sizeof sample.aad, sample.text.data(), n, nullptr, 0, out, out + n);
}

}  // namespace

bool Verify(Cipher* sealer, Cipher* opener, const Sample& sample) {
  const CipherInfo& info = sealer->info();
  const size_t n = sample.text.size();
  std::vector<uint8_t> expected(n + 16), sealed(n + 16), opened(n);
  const auto evp = NewEvpCipher(info, sample.key, true);
  if (evp == nullptr) return Fail("EVP_CIPHER_fetch", ENOENT);
  LastFailure() = {nullptr, 0};
  if (!Seal(evp.get(), sample, expected.data())) return Fail("EVP_EncryptUpdate", EINVAL);
  if (!Seal(sealer, sample, sealed.data())) return false;
  if (sealed != expected) return Fail("verify", 0);
  Record record = {sample.nonce, sample.aad, sizeof sample.aad, sealed.data(), n, nullptr, 0, opened.data(), nullptr,
                   sealed.data() + n, Outcome::kFailed};
  if (info.mode != CipherMode::kAead) {
    opener->CryptAll(&record, 1);
  } else {
    sealed[n] ^= 1;
    opener->OpenAll(&record, 1);
    if (record.outcome == Outcome::kDone) return Fail("verify", 0);
    sealed[n] ^= 1;
    if (record.outcome == Outcome::kNotAuthentic) opener->OpenAll(&record, 1);
  }
  if (record.outcome == Outcome::kFailed) return false;
  return (record.outcome == Outcome::kDone && opened == sample.text) || Fail("verify", 0);
}

}  // namespace so_crypt
