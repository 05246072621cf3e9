// SPDX-License-Identifier: MIT
// Whether a driver of the kernel does what a cipher should: it is named by the user, and one of another cipher would encrypt, too.
#include "af_alg.h"

#include <errno.h>

#ifdef __linux__
#include <openssl/crypto.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "af_alg_socket.h"
#include "aio.h"

namespace so_crypt {
namespace {

bool Fail(const char* call, int error) {
  LastFailure() = {call, error};
  return false;
}

// A record with a key that nobody uses.
struct Sample {
  static constexpr size_t kMost = 1 << 24;
  uint8_t key[32], nonce[16], aad[13];
  std::vector<uint8_t> text;

  explicit Sample(size_t length) : text(std::min(length, kMost)) {
    for (size_t i = 0; i < sizeof key; i++) key[i] = static_cast<uint8_t>(i * 7 + 1);
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = static_cast<uint8_t>(i * 13 + 2);
    for (size_t i = 0; i < sizeof aad; i++) aad[i] = static_cast<uint8_t>(i * 3 + 5);
    for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<uint8_t>(i * 11 + (i >> 8));
  }
};

// Seals and opens with the driver what OpenSSL seals, and a record that is not authentic.
bool Verify(const CipherInfo& info, const AfAlgFacts& facts, const char* name, size_t length, size_t max_length) {
  const Sample sample(length);
  const auto evp = NewEvpCipher(info, sample.key, true);
  const auto sealer = MakeAfAlgCipher(info, facts, name, sample.key, true, max_length);
  const auto opener = MakeAfAlgCipher(info, facts, name, sample.key, false, max_length);
  if (evp == nullptr) return Fail("EVP_CIPHER_fetch", ENOENT);
  const size_t n = std::min(length, Sample::kMost);
  std::vector<uint8_t> expected(n + 16), sealed(n + 16), opened(n);
  const auto seal = [&](Cipher* cipher, std::vector<uint8_t>& out) {
    if (info.mode != CipherMode::kAead) return cipher->Crypt(sample.nonce, sample.text.data(), n, out.data());
    return cipher->Seal(sample.nonce, sample.aad, sizeof sample.aad, sample.text.data(), n, nullptr, 0, out.data(), out.data() + n);
  };
  LastFailure() = {nullptr, 0};
  if (!seal(evp.get(), expected)) return Fail("EVP_EncryptUpdate", EINVAL);
  if (!seal(sealer.get(), sealed)) return false;
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

// Gives the driver several operations and looks whether all are done at once. What a driver says of itself in /proc/crypto is no
// help: those that could go to another thread in rare cases say the same as devices.
bool IsAsynchronous(const CipherInfo& info, const char* name) {
  constexpr size_t kCount = 4, kLength = 16384;
  Aio* const aio = Aio::OfThread();
  if (aio == nullptr) return false;
  const Sample sample(kLength);
  std::vector<uint8_t> out(kCount * (kLength + 16));
  const af_alg::Descriptor algorithm = af_alg::OpenAlgorithm(info, name, sample.key);
  af_alg::Descriptor operations[kCount];
  af_alg::Result results[kCount];
  Aio::Read reads[kCount];
  for (size_t i = 0; i < kCount; i++) {
    uint8_t* const to = out.data() + i * (kLength + 16);
    const Record record = {sample.nonce, sample.aad, sizeof sample.aad, sample.text.data(), kLength, nullptr, 0, to, to + kLength,
                           nullptr, Outcome::kFailed};
    operations[i] = af_alg::AcceptOperation(algorithm);
    if (!operations[i].open() || !af_alg::Send(operations[i], info, true, record)) return false;
    results[i].Set(info, true, record, record.out, record.tag);
    reads[i] = {operations[i].get(), results[i].parts(), results[i].count(), 0, false};
  }
  const size_t at_once = aio->Run(reads, kCount);
  size_t begun = 0;
  for (const Aio::Read& read : reads) begun += read.begun ? 1 : 0;
  return at_once < begun;
}

}  // namespace

bool CheckAfAlgDriver(const CipherInfo& info, const char* name, size_t max_length, AfAlgFacts* facts) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::pair<AfAlgFacts, size_t>>();  // with the longest record that was tried
  const std::lock_guard<std::mutex> lock(mutex);
  const std::string id = std::string(info.name) + ' ' + name;
  const auto found = known->find(id);
  if (found != known->end() && max_length <= found->second.second) {
    *facts = found->second.first;
    return true;
  }
  const Sample sample(0);
  const af_alg::Descriptor algorithm = af_alg::OpenAlgorithm(info, name, sample.key);
  if (!algorithm.open()) return false;
  const af_alg::Descriptor operation = af_alg::AcceptOperation(algorithm);
  if (!operation.open()) return false;
  *facts = {false, af_alg::ReserveRoom(operation, 0)};
  constexpr size_t kLeast = 64;
  if (facts->room < 4096) return Fail("SO_SNDBUF", EMSGSIZE);
  if (!Verify(info, *facts, name, kLeast, 0)) return false;
  // Only AEAD must take a record in one piece. The longest one is tried where that is no matter of course.
  const size_t overhead = sizeof sample.aad + 16;
  size_t longest = info.mode == CipherMode::kAead ? facts->room : SIZE_MAX;
  if (max_length > longest) {
    if (af_alg::ReserveRoom(operation, max_length) < max_length) return Fail("SO_SNDBUF", EMSGSIZE);
    if (!Verify(info, *facts, name, max_length - overhead, max_length)) return false;
    longest = max_length;
  }
  facts->asynchronous = IsAsynchronous(info, name);
  (*known)[id] = {*facts, longest};
  return true;
}

bool CheckAfAlg(const CipherInfo& info, const char* driver, size_t max_length) {
  AfAlgFacts facts;
  return CheckAfAlgDriver(info, driver == nullptr ? af_alg::AlgorithmOf(info) : driver, max_length, &facts);
}

std::unique_ptr<Cipher> NewAfAlgCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt,
                                       size_t max_length) {
  AfAlgFacts facts;
  const char* const name = driver == nullptr ? af_alg::AlgorithmOf(info) : driver;
  if (!CheckAfAlgDriver(info, name, max_length, &facts)) return nullptr;
  return MakeAfAlgCipher(info, facts, name, key, encrypt, max_length);
}

const char* AfAlgName(const CipherInfo& info) { return af_alg::AlgorithmOf(info); }

}  // namespace so_crypt
#else

namespace so_crypt {

bool CheckAfAlg(const CipherInfo&, const char*, size_t) {
  LastFailure() = {"socket", ENOSYS};
  return false;
}
std::unique_ptr<Cipher> NewAfAlgCipher(const CipherInfo&, const char*, const uint8_t*, bool, size_t) { return nullptr; }
const char* AfAlgName(const CipherInfo& info) { return info.name; }

}  // namespace so_crypt
#endif
