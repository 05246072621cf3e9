// SPDX-License-Identifier: MIT
// Whether a driver of the kernel does what a cipher should, and how.
#include "af_alg.h"

#include <errno.h>

#ifdef __linux__
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "af_alg_socket.h"
#include "aio.h"
#include "verify.h"

namespace so_crypt {
namespace {

bool VerifyDriver(const CipherInfo& info, const char* name, size_t length, size_t max_length) {
  const Sample sample(length);
  const auto sealer = MakeAfAlgCipher(info, false, name, sample.key, true, max_length);
  const auto opener = MakeAfAlgCipher(info, false, name, sample.key, false, max_length);
  return Verify(sealer.get(), opener.get(), sample);
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

// What is known of a driver that does what it should.
struct Facts {
  bool asynchronous;
  size_t longest;  // record that it takes
};

// Done once a process for each cipher and driver. False: LastFailure() tells why.
bool Check(const CipherInfo& info, const char* name, size_t max_length, Facts* facts) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, Facts>();
  const std::lock_guard<std::mutex> lock(mutex);
  const std::string id = std::string(info.name) + ' ' + name;
  const auto found = known->find(id);
  Facts entry = {false, 0};
  if (found != known->end()) {
    entry = found->second;
  } else {
    constexpr size_t kLength = 64, kLongest = 4000;  // the least that a socket takes is a page
    if (!VerifyDriver(info, name, kLength, kLongest)) return false;
    // Only AEAD must take a record in one piece.
    entry = {IsAsynchronous(info, name), info.mode == CipherMode::kAead ? kLongest : SIZE_MAX};
  }
  if (max_length > entry.longest) {
    constexpr size_t kOverhead = sizeof(Sample::aad) + 16;
    if (!VerifyDriver(info, name, max_length - kOverhead, max_length)) return false;
    entry.longest = max_length;
  }
  (*known)[id] = entry;
  *facts = entry;
  return true;
}

}  // namespace

bool CheckAfAlg(const CipherInfo& info, const char* driver, size_t max_length) {
  Facts facts;
  return Check(info, driver == nullptr ? af_alg::AlgorithmOf(info) : driver, max_length, &facts);
}

std::unique_ptr<Cipher> NewAfAlgCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt,
                                       size_t max_length) {
  Facts facts;
  const char* const name = driver == nullptr ? af_alg::AlgorithmOf(info) : driver;
  if (!Check(info, name, max_length, &facts)) return nullptr;
  return MakeAfAlgCipher(info, facts.asynchronous, name, key, encrypt, max_length);
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
