// SPDX-License-Identifier: MIT
// The kernel's ciphers by AF_ALG sockets. A driver that computes on this CPU gets one record at a time: two system calls each. One
// that works beside it (an accelerator) gets as many as there are, each on an operation socket of its own, because the kernel keeps
// one IV for a socket.
#ifdef __linux__
#include "af_alg.h"

#include <errno.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "af_alg_socket.h"
#include "aio.h"
#include "live_list.h"

namespace so_crypt {
namespace {

using af_alg::Descriptor;
using af_alg::Result;

// Descriptors that a thread keeps open for the directions it used last. Opening them again costs as much as sealing a few KB.
thread_local LiveList live_sockets(256);

// Where results go that may not replace their input yet.
thread_local std::vector<uint8_t> scratch;

class AfAlgCipher final : public Cipher, private Live {
 public:
  AfAlgCipher(const CipherInfo& info, bool asynchronous, const char* name, const uint8_t* key, bool encrypt, size_t max_length)
      : Cipher(info), asynchronous_(asynchronous), name_(name), encrypt_(encrypt), max_length_(max_length) {
    memcpy(key_, key, info.key_length);
  }
  ~AfAlgCipher() override {
    Release();
    OPENSSL_cleanse(key_, sizeof key_);
  }

  bool SetKey(const uint8_t* key) override {
    Release();
    nothing_.reset();
    memcpy(key_, key, info().key_length);
    return true;
  }

  size_t depth() const override { return asynchronous_ ? Aio::kMost : 1; }

  void SealAll(Record* records, size_t count) override { RunAll(records, count); }
  void OpenAll(Record* records, size_t count) override { RunAll(records, count); }
  void CryptAll(Record* records, size_t count) override { RunAll(records, count); }

  bool Seal(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tail,
            size_t tail_length, uint8_t* out, uint8_t* tag) override {
    return Run({nonce, aad, aad_length, in, length, tail, tail_length, out, tag, nullptr, Outcome::kFailed}) == Outcome::kDone;
  }
  bool Open(const uint8_t* nonce, const uint8_t* aad, size_t aad_length, const uint8_t* in, size_t length, const uint8_t* tag,
            uint8_t* out) override {
    return Run({nonce, aad, aad_length, in, length, nullptr, 0, out, nullptr, tag, Outcome::kFailed}) == Outcome::kDone;
  }
  bool Crypt(const uint8_t* iv, const uint8_t* in, size_t length, uint8_t* out) override {
    return Run({iv, nullptr, 0, in, length, nullptr, 0, out, nullptr, nullptr, Outcome::kFailed}) == Outcome::kDone;
  }

 private:
  bool aead() const { return info().mode == CipherMode::kAead; }
  size_t TextOf(const Record& r) const { return r.length + (aead() && encrypt_ ? r.tail_length : 0); }
  bool IsNothing(const Record& r) const { return TextOf(r) + (aead() ? r.aad_length : 0) == 0; }
  bool IsLong(const Record& r) const { return !aead() && r.length > room_; }

  void RunAll(Record* records, size_t count) {
    Aio* const aio = count > 1 && asynchronous_ ? Aio::OfThread() : nullptr;
    for (size_t done = 0; done < count;) {
      const size_t n = aio == nullptr ? 1 : std::min(count - done, Aio::kMost);
      if (n > 1) {
        RunTogether(aio, records + done, n);
      } else {
        records[done].outcome = Run(records[done]);
      }
      done += n;
    }
  }

  Outcome Run(const Record& record) {
    if (IsNothing(record)) return RunNothing(record);
    if (!OpenOperation(0)) return Outcome::kFailed;
    if (IsLong(record)) return RunLong(record);
    Outcome outcome = Outcome::kFailed;
    if (af_alg::Send(operations_[0], info(), encrypt_, record))
      outcome = af_alg::Receive(operations_[0], info(), encrypt_, record);
    // Whatever is left in a socket must not get into the next record.
    if (outcome == Outcome::kFailed) Release();
    return outcome;
  }

  // A tag over nothing at all. No protocol has it, a custom layout may. The kernel's interface can't do it: reading the no bytes of
  // such a record is a success before the tag has been looked at.
  Outcome RunNothing(const Record& r) {
    if (!aead()) return Outcome::kDone;
    if (nothing_ == nullptr) nothing_ = NewEvpCipher(info(), key_, encrypt_);
    if (nothing_ == nullptr) return Outcome::kFailed;
    if (encrypt_) return nothing_->Seal(r.nonce, r.aad, 0, r.in, 0, r.tail, 0, r.out, r.tag) ? Outcome::kDone : Outcome::kFailed;
    return nothing_->Open(r.nonce, r.aad, 0, r.in, 0, r.sent_tag, r.out) ? Outcome::kDone : Outcome::kNotAuthentic;
  }

  // CBC and CTR in pieces, where a record is longer than the socket takes.
  Outcome RunLong(const Record& record) {
    const bool cbc = info().mode == CipherMode::kCbc;
    const size_t size = info().iv_length;
    uint8_t iv[16], last[16];
    memcpy(iv, record.nonce, size);
    Record piece = record;
    piece.nonce = iv;
    for (size_t done = 0; done < record.length; done += piece.length) {
      piece.in = record.in + done;
      piece.out = record.out + done;
      piece.length = std::min(record.length - done, room_ / 16 * 16);
      if (cbc && !encrypt_) memcpy(last, piece.in + piece.length - size, size);  // it may be overwritten in place
      const Outcome outcome = Run(piece);
      if (outcome != Outcome::kDone) return outcome;
      if (cbc) {
        memcpy(iv, encrypt_ ? piece.out + piece.length - size : last, size);
      } else {
        size_t blocks = piece.length / 16;
        for (size_t i = size; i-- > 0; blocks >>= 8) iv[i] = static_cast<uint8_t>(blocks += iv[i]);
      }
    }
    return Outcome::kDone;
  }

  // All at the same time.
  void RunTogether(Aio* aio, Record* records, size_t count) {
    Aio::Read reads[Aio::kMost];
    Result results[Aio::kMost];
    Record* sent[Aio::kMost];
    size_t n = 0;
    size_t largest = 0;
    for (const Record* r = records; r < records + count; r++)
      if (r->in == r->out) largest = std::max(largest, TextOf(*r) + info().tag_length);
    if (scratch.size() < largest * count) scratch.resize(largest * count);
    for (Record* r = records; r < records + count; r++) {
      r->outcome = Outcome::kFailed;
      if (IsNothing(*r) || !OpenOperation(n) || IsLong(*r)) continue;
      if (!af_alg::Send(operations_[n], info(), encrypt_, *r)) {
        operations_[n].Close();
        continue;
      }
      // The input must still be there if the device's queue turns out to be full.
      uint8_t* const out = r->in == r->out ? scratch.data() + n * largest : r->out;
      results[n].Set(info(), encrypt_, *r, out, out == r->out ? r->tag : out + TextOf(*r));
      reads[n] = {operations_[n].get(), results[n].parts(), results[n].count(), 0, false};
      sent[n++] = r;
    }
    if (n > 0) aio->Run(reads, n);
    for (size_t i = 0; i < n; i++) {
      Record* const r = sent[i];
      if (reads[i].begun) r->outcome = results[i].Judge(info(), encrypt_, reads[i].result);
      if (r->outcome == Outcome::kFailed) operations_[i].Close();
      if (r->outcome == Outcome::kDone && r->in == r->out) {
        const uint8_t* const out = scratch.data() + i * largest;
        memcpy(r->out, out, TextOf(*r));
        if (aead() && encrypt_) memcpy(r->tag, out + TextOf(*r), info().tag_length);
      }
    }
    if (!encrypt_ && largest > 0) OPENSSL_cleanse(scratch.data(), scratch.size());
    // One at a time, a record waits for room in the queue; and a failure is final.
    for (Record* r = records; r < records + count; r++)
      if (r->outcome == Outcome::kFailed) r->outcome = Run(*r);
  }

  // Sees to it that there is an operation socket i. False: there can be none.
  bool OpenOperation(size_t i) {
    if (operations_.size() <= i) operations_.resize(i + 1);
    while (!operations_[i].open()) {
      if (!algorithm_.open()) algorithm_ = af_alg::OpenAlgorithm(info(), name_.c_str(), key_);
      if (algorithm_.open()) operations_[i] = af_alg::AcceptOperation(algorithm_);
      if (operations_[i].open()) {
        room_ = af_alg::ReserveRoom(operations_[i], aead() ? max_length_ : 0);
        if (depth() == 1) algorithm_.Close();  // the operation socket keeps the key
      } else if ((LastFailure().error != EMFILE && LastFailure().error != ENFILE) || !live_sockets.ReleaseOldest(this)) {
        return false;
      }
    }
    live_sockets.Touch(this, operations_.size() + (algorithm_.open() ? 1 : 0));
    return true;
  }

  void Release() override {
    live_sockets.Remove(this);
    operations_.clear();
    operations_.shrink_to_fit();
    algorithm_.Close();
  }

  const bool asynchronous_;
  const std::string name_;
  const bool encrypt_;
  const size_t max_length_;
  uint8_t key_[32];
  size_t room_ = 0;  // what an operation socket takes at once
  Descriptor algorithm_;
  std::vector<Descriptor> operations_;
  std::unique_ptr<Cipher> nothing_;
};

}  // namespace

std::unique_ptr<Cipher> MakeAfAlgCipher(const CipherInfo& info, bool asynchronous, const char* name, const uint8_t* key,
                                        bool encrypt, size_t max_length) {
  return std::make_unique<AfAlgCipher>(info, asynchronous, name, key, encrypt, max_length);
}

}  // namespace so_crypt
#endif
