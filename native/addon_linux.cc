// SPDX-License-Identifier: MIT
// What only Linux has for lib/kernel/: kTLS and sendfile(2). Results are counts, or -errno.
#ifdef __linux__
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "addon.h"
#include "kernel/cached_file.h"
#include "kernel/inherited.h"
#include "kernel/ktls.h"
#include "kernel/so_crypt.h"
#include "kernel/socket_io.h"

namespace so_crypt {
namespace {

// attachKtls(fd)
Napi::Value AttachTls(const Napi::CallbackInfo& info) { return Result(info, AttachKtls(Fd(info))); }

// sendFile(fd, file, offset, count)
Napi::Value SendFile(const Napi::CallbackInfo& info) {
  const auto number = [&](size_t i) { return Int64(info[i]); };
  return Result(info, SendFileRange(Fd(info), static_cast<int>(number(1)), static_cast<uint64_t>(number(2)), static_cast<size_t>(number(3))));
}

// sendFileInBackground(fd, file, offset, count, callback(result)): the same in a thread of libuv's pool, for a disk that lets wait
class BackgroundSendFile : public Napi::AsyncWorker {
 public:
  // On descriptors of its own: should the socket be closed meanwhile, its number may be another connection's.
  BackgroundSendFile(const Napi::CallbackInfo& info)
      : AsyncWorker(info[4].As<Napi::Function>(), "so-crypt.sendFile"),
        fd_(fcntl(Fd(info), F_DUPFD_CLOEXEC, 0)),
        file_(fcntl(Int32(info[1], -1), F_DUPFD_CLOEXEC, 0)),
        error_(errno),
        offset_(static_cast<uint64_t>(Int64(info[2]))),
        count_(static_cast<size_t>(Int64(info[3]))) {}
  ~BackgroundSendFile() override {
    for (int fd : {fd_, file_})
      if (fd >= 0) close(fd);
  }

  void Execute() override { result_ = fd_ < 0 || file_ < 0 ? -error_ : SendFileRange(fd_, file_, offset_, count_); }
  // (AsyncWorker's own ends the process when this thread is being terminated. What the function throws is Node's to handle.)
  void OnOK() override {
    const napi_value result = Napi::Number::New(Env(), static_cast<double>(result_));
    napi_call_function(Env(), Env().Undefined(), Callback().Value(), 1, &result, nullptr);
  }

 private:
  const int fd_, file_, error_;
  const uint64_t offset_;
  const size_t count_;
  ssize_t result_ = 0;
};

void SendFileInBackground(const Napi::CallbackInfo& info) { (new BackgroundSendFile(info))->Queue(); }

// openCached(path, facts) -> a descriptor; facts is a Float64Array for size, seconds and nanoseconds of the last change
Napi::Value OpenCached(const Napi::CallbackInfo& info) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  FileFacts facts;
  if (napi_get_typedarray_info(info.Env(), info[1], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_float64_array ||
      length < 3)
    return Result(info, -EINVAL);
  const int fd = OpenCachedFile(Text(info[0]).c_str(), &facts);
  if (fd < 0) return Result(info, fd);
  double* const numbers = static_cast<double*>(data);
  numbers[0] = static_cast<double>(facts.size);
  numbers[1] = static_cast<double>(facts.modified_seconds);
  numbers[2] = static_cast<double>(facts.modified_nanoseconds);
  return Result(info, fd);
}

// readCached(file, out, length, offset)
Napi::Value ReadFromCache(const Napi::CallbackInfo& info) {
  const Bytes out = ViewOf(info.Env(), info[1]);
  const size_t length = std::min<size_t>(Uint32(info[2]), out.length);
  return Result(info, ReadCached(Fd(info), out.data, length, static_cast<uint64_t>(Int64(info[3]))));
}

// probe(cipher, version) -> null: the kernel engine has no such cipher; else [error, rekey, step]
Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const KtlsCipher* cipher = FindKtlsCipher(Text(info[0]).c_str());
  if (cipher == nullptr) return env.Null();
  const KtlsProbe probe = ProbeKtls(*cipher, static_cast<TlsVersion>(Uint32(info[1])));
  Napi::Array answer = Napi::Array::New(env, 3);
  answer.Set(0u, Napi::Number::New(env, probe.error));
  answer.Set(1u, Napi::Boolean::New(env, probe.rekey));
  answer.Set(2u, Napi::String::New(env, probe.step == nullptr ? "" : probe.step));
  return answer;
}

// setReceiveLowat(fd, bytes)
Napi::Value SetReceiveLowat(const Napi::CallbackInfo& info) {
  const int bytes = Int32(info[1]);
  return Result(info, setsockopt(Fd(info), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0 ? 0 : -errno);
}

// expectNoPadding(fd)
Napi::Value NoPadding(const Napi::CallbackInfo& info) { return Result(info, ExpectNoPadding(Fd(info))); }

// isOnDevice(fd, write)
Napi::Value IsOnDevice(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsKtlsOnDevice(Fd(info), Bool(info[1])));
}

// inherited(fd) -> -errno, or null: no records; else [engine, protocol, cipher, mac, encryptThenMac, write, read]
Napi::Value InheritedOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Inherited found;
  const int result = FindInherited(Fd(info), &found);
  if (result != 0) return Result(info, result);
  if (found.engine == nullptr) return env.Null();
  Napi::Array answer = Napi::Array::New(env, 7);
  answer.Set(0u, Napi::String::New(env, found.engine));
  answer.Set(1u, Napi::Number::New(env, found.protocol));
  answer.Set(2u, Napi::String::New(env, found.cipher));
  answer.Set(3u, Napi::String::New(env, found.mac));
  answer.Set(4u, Napi::Boolean::New(env, found.encrypt_then_mac));
  answer.Set(5u, Napi::Boolean::New(env, found.write));
  answer.Set(6u, Napi::Boolean::New(env, found.read));
  return answer;
}

// inheritedSequence(fd, cipher, write): of the next record; undefined when the kernel does not tell. cipher: ktls; "" for so_crypt
Napi::Value InheritedSequence(const Napi::CallbackInfo& info) {
  const std::string name = Text(info[1]);
  const bool write = Bool(info[2]);
  const KtlsCipher* const cipher = FindKtlsCipher(name.c_str());
  uint64_t sequence;
  const int result = cipher == nullptr ? SoCryptSequence(Fd(info), write, &sequence) : KtlsSequence(Fd(info), write, *cipher, &sequence);
  return result == 0 ? Napi::BigInt::New(info.Env(), sequence).As<Napi::Value>() : info.Env().Undefined();
}

// new KtlsKeys(spec, version, write)
class KtlsKeysWrap : public Napi::ObjectWrap<KtlsKeysWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "KtlsKeys",
                       {InstanceMethod<&KtlsKeysWrap::Arm>("arm"), InstanceMethod<&KtlsKeysWrap::Next>("next"),
                        InstanceMethod<&KtlsKeysWrap::Sequence>("sequence"), InstanceMethod<&KtlsKeysWrap::Dispose>("dispose"),
                        InstanceAccessor<&KtlsKeysWrap::UsedKeys>("usedKeys")});
  }

  explicit KtlsKeysWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Properties spec(info[0]);
    const TlsVersion version = static_cast<TlsVersion>(Uint32(info[1]));
    write_ = Bool(info[2]);
    cipher_ = FindKtlsCipher(Text(spec.Get("cipher")).c_str());
    if (cipher_ == nullptr) {
      Napi::TypeError::New(info.Env(), "unknown cipher").ThrowAsJavaScriptException();
      return;
    }
    const size_t iv_length = version == TlsVersion::k13 || cipher_->salt == 0 ? kKtlsMaxIv : cipher_->salt;
    const uint64_t sequence = spec.Sequence("sequence"), explicit_counter = spec.Sequence("explicitCounter");
    KeyMaterial keys;
    if (const char* error = keys.Read(spec, cipher_->key, iv_length)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    keys_ = std::make_unique<KtlsKeys>(*cipher_, version, keys.key, keys.iv, iv_length, sequence, explicit_counter, keys.secret);
  }

 private:
  // arm(fd, sequence?)
  Napi::Value Arm(const Napi::CallbackInfo& info) {
    if (keys_ == nullptr) return Result(info, -EBADF);
    uint64_t sequence;
    if (BigUint64(info[1], &sequence)) keys_->set_sequence(sequence);
    return Result(info, keys_->Arm(Fd(info), write_));
  }

  // next(): false without a traffic secret
  Napi::Value Next(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), keys_ != nullptr && keys_->Next()); }

  // sequence(fd): of the next record; undefined when the kernel does not tell
  Napi::Value Sequence(const Napi::CallbackInfo& info) {
    uint64_t sequence;
    if (keys_ == nullptr || KtlsSequence(Fd(info), write_, *cipher_, &sequence) != 0) return info.Env().Undefined();
    return Napi::BigInt::New(info.Env(), sequence);
  }

  Napi::Value UsedKeys(const Napi::CallbackInfo& info) {
    return keys_ == nullptr ? info.Env().Null() : FingerprintsOf(info.Env(), keys_->used());
  }

  void Dispose(const Napi::CallbackInfo&) { keys_.reset(); }

  const KtlsCipher* cipher_ = nullptr;
  bool write_ = false;
  std::unique_ptr<KtlsKeys> keys_;
};

}  // namespace

void DefineLinuxKernel(Napi::Env env, Napi::Object kernel) {
  kernel.Set("attachKtls", Napi::Function::New<AttachTls>(env, "attachKtls"));
  kernel.Set("sendFile", Napi::Function::New<SendFile>(env, "sendFile"));
  kernel.Set("sendFileInBackground", Napi::Function::New<SendFileInBackground>(env, "sendFileInBackground"));
  kernel.Set("openCached", Napi::Function::New<OpenCached>(env, "openCached"));
  kernel.Set("readCached", Napi::Function::New<ReadFromCache>(env, "readCached"));
  kernel.Set("setReceiveLowat", Napi::Function::New<SetReceiveLowat>(env, "setReceiveLowat"));
  kernel.Set("probe", Napi::Function::New<Probe>(env, "probe"));
  kernel.Set("inherited", Napi::Function::New<InheritedOf>(env, "inherited"));
  kernel.Set("inheritedSequence", Napi::Function::New<InheritedSequence>(env, "inheritedSequence"));
  kernel.Set("expectNoPadding", Napi::Function::New<NoPadding>(env, "expectNoPadding"));
  kernel.Set("isOnDevice", Napi::Function::New<IsOnDevice>(env, "isOnDevice"));
  kernel.Set("KtlsKeys", KtlsKeysWrap::Define(env));
}

}  // namespace so_crypt
#endif
