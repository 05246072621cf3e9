// SPDX-License-Identifier: MIT
// The kernel's ciphers by /dev/crypto: one system call a record, which works on the process's own memory and returns when the record
// is done.
#include <errno.h>
#include <openssl/crypto.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "cryptodev_device.h"
#include "live_list.h"
#include "verify.h"

namespace so_crypt {
namespace {

// Sessions that a thread keeps for the directions it used last. The kernel bounds them by file and by user.
thread_local LiveList live_sessions(1024);

class CryptodevCipher final : public Cipher, private Live {
 public:
  CryptodevCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt)
      : Cipher(info), driver_(driver == nullptr ? "" : driver), encrypt_(encrypt) {
    memcpy(key_, key, info.key_length);
  }
  ~CryptodevCipher() override {
    Release();
    OPENSSL_cleanse(key_, sizeof key_);
  }

  bool SetKey(const uint8_t* key) override {
    Release();
    memcpy(key_, key, info().key_length);
    return true;
  }

  bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
            size_t tail_length, uint8_t* out, uint8_t* tag) override {
    if (tail_length > 0) {  // the device takes one run of bytes
      if (in != out) memcpy(out, in, length);
      memcpy(out + length, tail, tail_length);
      in = out;
    }
    return Run({nonce, aad, aad_length, in, length + tail_length, nullptr, 0, out, tag, nullptr, Outcome::kFailed}) == Outcome::kDone;
  }

  bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
            uint8_t* out) override {
    return Run({nonce, aad, aad_length, in, length, nullptr, 0, out, nullptr, tag, Outcome::kFailed}) == Outcome::kDone;
  }

  bool Crypt(const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out) override {
    return Run({iv, nullptr, 0, in, length, nullptr, 0, out, nullptr, nullptr, Outcome::kFailed}) == Outcome::kDone;
  }

  // That a record is not authentic is told apart from a device that failed.
  void OpenAll(Record* records, size_t count) override {
    for (Record* r = records; r < records + count; r++) r->outcome = Run(*r);
  }

  // After the first record.
  std::string driver() const { return cryptodev::DriverOf(session_); }

 private:
  Outcome Run(const Record& record) {
    if (!Begin()) return Outcome::kFailed;
    if (info().mode == CipherMode::kAead) return cryptodev::Aead(info(), session_, encrypt_, record);
    return record.length == 0 ? Outcome::kDone : cryptodev::Crypt(info(), session_, encrypt_, record);
  }

  // Sees to it that there is a session.
  bool Begin() {
    while (!open_) {
      open_ = cryptodev::OpenSession(info(), driver_.empty() ? nullptr : driver_.c_str(), key_, &session_);
      if (!open_ && !(IsShort(LastFailure().error) && live_sessions.ReleaseOldest(this))) return false;
    }
    live_sessions.Touch(this, 1);
    return true;
  }

  static bool IsShort(int error) { return error == EMFILE || error == EDQUOT || error == ENOMEM; }

  void Release() override {
    live_sessions.Remove(this);
    if (open_) cryptodev::CloseSession(session_);
    open_ = false;
  }

  const std::string driver_;
  uint32_t session_ = 0;
  bool open_ = false;
  uint8_t key_[32];
  const bool encrypt_;
};

// Sets the driver's name.
bool VerifyDevice(const CipherInfo& info, const char* driver, size_t length, std::string* name) {
  const Sample sample(length);
  CryptodevCipher sealer(info, driver, sample.key, true), opener(info, driver, sample.key, false);
  if (!Verify(&sealer, &opener, sample)) return false;
  *name = sealer.driver();
  return true;
}

}  // namespace

bool CheckCryptodev(const CipherInfo& info, const char* driver, size_t max_length, std::string* name) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::string>();  // with the driver's name
  const std::string id = std::string(info.name) + ' ' + (driver == nullptr ? "" : driver);
  const std::lock_guard<std::mutex> lock(mutex);
  // An AEAD goes in one piece, of a megabyte at most. What works is not tried again.
  constexpr size_t kMost = 1 << 20;
  if (info.mode == CipherMode::kAead && max_length > kMost) {
    LastFailure() = {"CIOCAUTHCRYPT", EMSGSIZE};
    return false;
  }
  const auto found = known->find(id);
  if (found != known->end()) {
    *name = found->second;
    return true;
  }
  if (!VerifyDevice(info, driver, 64, name) || !VerifyDevice(info, driver, 16384, name)) return false;
  (*known)[id] = *name;
  return true;
}

std::unique_ptr<Cipher> NewCryptodevCipher(const CipherInfo& info, const char* driver, const uint8_t* key, bool encrypt) {
  return std::make_unique<CryptodevCipher>(info, driver, key, encrypt);
}

}  // namespace so_crypt
