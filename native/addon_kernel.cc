// SPDX-License-Identifier: MIT
// The kernel engines' system calls for lib/kernel/. Results are counts, or -errno.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "addon.h"
#include "kernel/inherited.h"
#include "kernel/ktls.h"
#include "kernel/readiness.h"
#include "kernel/so_crypt.h"
#include "kernel/socket_io.h"
#include "providers/provider.h"

namespace so_crypt {
namespace {

int Fd(const Napi::CallbackInfo& info) { return info[0].ToNumber().Int32Value(); }

Napi::Value Result(const Napi::CallbackInfo& info, ssize_t result) { return Napi::Number::New(info.Env(), static_cast<double>(result)); }

// attachKtls(fd), attachSoCrypt(fd)
Napi::Value AttachTls(const Napi::CallbackInfo& info) { return Result(info, AttachKtls(Fd(info))); }
Napi::Value AttachOurs(const Napi::CallbackInfo& info) { return Result(info, AttachSoCrypt(Fd(info))); }

// receive(fd, out, result): bytes of one record type, which is in result[0]
Napi::Value Receive(const Napi::CallbackInfo& info) {
  const Bytes out = ViewOf(info.Env(), info[1]);
  const Bytes type = ViewOf(info.Env(), info[2]);
  return Result(info, ReceiveRecord(Fd(info), out.data, out.length, type.data));
}

// receivePlain(fd, out)
Napi::Value ReceivePlain(const Napi::CallbackInfo& info) {
  const Bytes out = ViewOf(info.Env(), info[1]);
  return Result(info, ReceiveBytes(Fd(info), out.data, out.length));
}

// sendRecord(fd, type, content)
Napi::Value Send(const Napi::CallbackInfo& info) {
  const Bytes content = ViewOf(info.Env(), info[2]);
  return Result(info, SendRecord(Fd(info), static_cast<uint8_t>(info[1].ToNumber().Uint32Value()), content.data, content.length));
}

// sendFile(fd, file, offset, count)
Napi::Value SendFile(const Napi::CallbackInfo& info) {
  const auto number = [&](size_t i) { return info[i].ToNumber().Int64Value(); };
  return Result(info, SendFileRange(Fd(info), static_cast<int>(number(1)), static_cast<uint64_t>(number(2)), static_cast<size_t>(number(3))));
}

// sendFileInBackground(fd, file, offset, count, callback(result)): the same in a thread of libuv's pool, for a disk that lets wait
class BackgroundSendFile : public Napi::AsyncWorker {
 public:
  // On descriptors of its own: should the socket be closed meanwhile, its number may be another connection's.
  BackgroundSendFile(const Napi::CallbackInfo& info)
      : AsyncWorker(info[4].As<Napi::Function>(), "so-crypt.sendFile"),
        fd_(fcntl(Fd(info), F_DUPFD_CLOEXEC, 0)),
        file_(fcntl(info[1].ToNumber().Int32Value(), F_DUPFD_CLOEXEC, 0)),
        error_(errno),
        offset_(static_cast<uint64_t>(info[2].ToNumber().Int64Value())),
        count_(static_cast<size_t>(info[3].ToNumber().Int64Value())) {}
  ~BackgroundSendFile() override {
    for (int fd : {fd_, file_})
      if (fd >= 0) close(fd);
  }

  void Execute() override { result_ = fd_ < 0 || file_ < 0 ? -error_ : SendFileRange(fd_, file_, offset_, count_); }
  std::vector<napi_value> GetResult(Napi::Env env) override { return {Napi::Number::New(env, static_cast<double>(result_))}; }

 private:
  const int fd_, file_, error_;
  const uint64_t offset_;
  const size_t count_;
  ssize_t result_ = 0;
};

void SendFileInBackground(const Napi::CallbackInfo& info) { (new BackgroundSendFile(info))->Queue(); }

// probe(cipher, version) -> null: the kernel engine has no such cipher; else [error, rekey, step]
Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const KtlsCipher* cipher = FindKtlsCipher(info[0].ToString().Utf8Value().c_str());
  if (cipher == nullptr) return env.Null();
  const KtlsProbe probe = ProbeKtls(*cipher, static_cast<TlsVersion>(info[1].ToNumber().Uint32Value()));
  Napi::Array answer = Napi::Array::New(env, 3);
  answer.Set(0u, Napi::Number::New(env, probe.error));
  answer.Set(1u, Napi::Boolean::New(env, probe.rekey));
  answer.Set(2u, Napi::String::New(env, probe.step == nullptr ? "" : probe.step));
  return answer;
}

// probeSoCrypt() -> [error, step]
Napi::Value ProbeOurs(const Napi::CallbackInfo& info) {
  const char* step = "";
  Napi::Array answer = Napi::Array::New(info.Env(), 2);
  answer.Set(0u, Napi::Number::New(info.Env(), ProbeSoCrypt(&step)));
  answer.Set(1u, Napi::String::New(info.Env(), step));
  return answer;
}

// expectNoPadding(fd)
Napi::Value NoPadding(const Napi::CallbackInfo& info) { return Result(info, ExpectNoPadding(Fd(info))); }

// isOnDevice(fd, write)
Napi::Value IsOnDevice(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsKtlsOnDevice(Fd(info), info[1].ToBoolean()));
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
  const std::string name = info[1].ToString().Utf8Value();
  const bool write = info[2].ToBoolean();
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
    const Napi::Object spec = info[0].ToObject();
    const TlsVersion version = static_cast<TlsVersion>(info[1].ToNumber().Uint32Value());
    write_ = info[2].ToBoolean();
    cipher_ = FindKtlsCipher(spec.Get("cipher").ToString().Utf8Value().c_str());
    if (cipher_ == nullptr) {
      Napi::TypeError::New(info.Env(), "unknown cipher").ThrowAsJavaScriptException();
      return;
    }
    const size_t iv_length = version == TlsVersion::k13 || cipher_->salt == 0 ? kKtlsMaxIv : cipher_->salt;
    KeyMaterial keys;
    if (const char* error = keys.Read(spec, cipher_->key, iv_length)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    keys_ = std::make_unique<KtlsKeys>(*cipher_, version, keys.key, keys.iv, iv_length, BigInt(spec, "sequence"),
                                       BigInt(spec, "explicitCounter"), keys.secret);
  }

 private:
  // arm(fd, sequence?)
  Napi::Value Arm(const Napi::CallbackInfo& info) {
    if (keys_ == nullptr) return Result(info, -EBADF);
    bool lossless;
    if (info[1].IsBigInt()) keys_->set_sequence(info[1].As<Napi::BigInt>().Uint64Value(&lossless));
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

// new SoCryptKeys(spec, protocol, write, maxPayload)
class SoCryptKeysWrap : public Napi::ObjectWrap<SoCryptKeysWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SoCryptKeys",
                       {InstanceMethod<&SoCryptKeysWrap::Arm>("arm"), InstanceMethod<&SoCryptKeysWrap::Next>("next"),
                        InstanceMethod<&SoCryptKeysWrap::SetIv>("setIv"), InstanceMethod<&SoCryptKeysWrap::Sequence>("sequence"),
                        InstanceMethod<&SoCryptKeysWrap::Dispose>("dispose"), InstanceAccessor<&SoCryptKeysWrap::UsedKeys>("usedKeys")});
  }

  explicit SoCryptKeysWrap(const Napi::CallbackInfo& info) : ObjectWrap(info), write_(info[2].ToBoolean()) {
    const Napi::Object spec = info[0].ToObject();
    cipher_ = spec.Get("cipher").ToString().Utf8Value();
    if (spec.Get("mac").IsString()) mac_ = spec.Get("mac").ToString().Utf8Value();
    const CipherInfo* const cipher = FindCipher(cipher_.c_str());
    const Bytes mac_key = ViewOf(info.Env(), spec.Get("macKey"));
    SoCryptSpec to = {};
    KeyMaterial keys;
    const char* error = nullptr;
    if (cipher == nullptr) error = "unknown cipher";
    else if (!ReadLayout(info.Env(), spec.Get("layout"), &to.layout)) error = "no frame layout";
    else if (to.layout.fixed_iv > kMaxIv || mac_key.length > SoCryptKeys::kMaxMacKey) error = "wrong length";
    else error = keys.Read(spec, cipher->key_length, to.layout.fixed_iv);
    if (error != nullptr) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    to.protocol = info[1].ToNumber().Int32Value();
    to.cipher = cipher_.c_str();
    if (spec.Get("driver").IsString()) driver_ = spec.Get("driver").ToString().Utf8Value();
    to.driver = driver_.c_str();
    to.mac = mac_.c_str();
    to.max_payload = info[3].ToNumber().Uint32Value();
    to.sequence = BigInt(spec, "sequence");
    to.explicit_nonce = BigInt(spec, "explicitCounter");
    keys_ = std::make_unique<SoCryptKeys>(to, keys.key, cipher->key_length, keys.iv, to.layout.fixed_iv, mac_key.data, mac_key.length,
                                          keys.secret);
  }

 private:
  // arm(fd, sequence?, again)
  Napi::Value Arm(const Napi::CallbackInfo& info) {
    if (keys_ == nullptr) return Result(info, -EBADF);
    bool lossless;
    if (info[1].IsBigInt()) keys_->set_sequence(info[1].As<Napi::BigInt>().Uint64Value(&lossless));
    return Result(info, keys_->Arm(Fd(info), write_, info[2].ToBoolean()));
  }

  // setIv(iv)
  void SetIv(const Napi::CallbackInfo& info) {
    const Bytes iv = ViewOf(info.Env(), info[0]);
    if (keys_ != nullptr && iv.length == keys_->iv_length()) keys_->set_iv(iv.data);
  }

  Napi::Value Next(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), keys_ != nullptr && keys_->Next()); }

  Napi::Value Sequence(const Napi::CallbackInfo& info) {
    uint64_t sequence;
    if (keys_ == nullptr || SoCryptSequence(Fd(info), write_, &sequence) != 0) return info.Env().Undefined();
    return Napi::BigInt::New(info.Env(), sequence);
  }

  Napi::Value UsedKeys(const Napi::CallbackInfo& info) {
    return keys_ == nullptr ? info.Env().Null() : FingerprintsOf(info.Env(), keys_->used());
  }

  void Dispose(const Napi::CallbackInfo&) { keys_.reset(); }

  const bool write_;
  std::string cipher_, driver_, mac_;
  std::unique_ptr<SoCryptKeys> keys_;
};

// new Readiness(callback(ids, events, count)), one in an environment. Its property `error` is 0, or -errno: then it can't be used. The
// callback's arrays are always the same two.
class ReadinessWrap : public Napi::ObjectWrap<ReadinessWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Readiness",
                       {InstanceMethod<&ReadinessWrap::Watch>("watch"), InstanceMethod<&ReadinessWrap::Forget>("forget"),
                        InstanceMethod<&ReadinessWrap::SetRef>("setRef"), InstanceAccessor<&ReadinessWrap::Error>("error")});
  }

  explicit ReadinessWrap(const Napi::CallbackInfo& info)
      : ObjectWrap(info),
        callback_(Napi::Persistent(info[0].As<Napi::Function>())),
        ids_(Napi::Persistent(Napi::Uint32Array::New(info.Env(), Readiness::kMostEvents))),
        events_(Napi::Persistent(Napi::Uint32Array::New(info.Env(), Readiness::kMostEvents))),
        context_(info.Env(), "so-crypt.Readiness") {
    uv_loop_t* loop;
    if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return;
    readiness_ = Readiness::Open(loop, [this](const epoll_event* events, int count) { OnEvents(events, count); }, &error_);
    if (readiness_ == nullptr) return;
    Ref();  // for as long as the environment lives
    napi_add_async_cleanup_hook(info.Env(), OnCleanup, this, &cleanup_);
  }

 private:
  Napi::Value Error(const Napi::CallbackInfo& info) { return Result(info, error_); }

  // watch(fd, id, writable, isKnown)
  Napi::Value Watch(const Napi::CallbackInfo& info) {
    if (readiness_ == nullptr) return Result(info, -EBADF);
    return Result(info, readiness_->Watch(Fd(info), info[1].ToNumber().Uint32Value(), info[2].ToBoolean(), info[3].ToBoolean()));
  }

  void Forget(const Napi::CallbackInfo& info) {
    if (readiness_ != nullptr) readiness_->Forget(Fd(info));
  }

  void SetRef(const Napi::CallbackInfo& info) {
    if (readiness_ != nullptr) readiness_->SetRef(info[0].ToBoolean());
  }

  void OnEvents(const epoll_event* events, int count) {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    Napi::Uint32Array ids = ids_.Value(), masks = events_.Value();
    for (int i = 0; i < count; i++) {
      ids.Data()[i] = static_cast<uint32_t>(events[i].data.u64);
      masks.Data()[i] = events[i].events;
    }
    callback_.MakeCallback(Value(), {ids, masks, Napi::Number::New(env, count)}, context_);
    // What a listener of the application throws is an uncaught exception, as it is with Node's own sockets.
    if (env.IsExceptionPending()) napi_fatal_exception(env, env.GetAndClearPendingException().Value());
  }

  // The environment ends (a worker is terminated): the event loop must be let go of before.
  static void OnCleanup(napi_async_cleanup_hook_handle, void* data) {
    ReadinessWrap* const self = static_cast<ReadinessWrap*>(data);
    Readiness* const readiness = self->readiness_;
    self->readiness_ = nullptr;
    readiness->Close([self] { napi_remove_async_cleanup_hook(self->cleanup_); });
  }

  Napi::FunctionReference callback_;
  Napi::Reference<Napi::Uint32Array> ids_, events_;
  Napi::AsyncContext context_;
  Readiness* readiness_ = nullptr;
  int error_ = -EINVAL;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

}  // namespace

Napi::Object DefineKernel(Napi::Env env) {
  Napi::Object kernel = Napi::Object::New(env);
  kernel.Set("attachKtls", Napi::Function::New<AttachTls>(env, "attachKtls"));
  kernel.Set("attachSoCrypt", Napi::Function::New<AttachOurs>(env, "attachSoCrypt"));
  kernel.Set("probeSoCrypt", Napi::Function::New<ProbeOurs>(env, "probeSoCrypt"));
  kernel.Set("SoCryptKeys", SoCryptKeysWrap::Define(env));
  kernel.Set("receive", Napi::Function::New<Receive>(env, "receive"));
  kernel.Set("receivePlain", Napi::Function::New<ReceivePlain>(env, "receivePlain"));
  kernel.Set("sendRecord", Napi::Function::New<Send>(env, "sendRecord"));
  kernel.Set("sendFile", Napi::Function::New<SendFile>(env, "sendFile"));
  kernel.Set("sendFileInBackground", Napi::Function::New<SendFileInBackground>(env, "sendFileInBackground"));
  kernel.Set("probe", Napi::Function::New<Probe>(env, "probe"));
  kernel.Set("inherited", Napi::Function::New<InheritedOf>(env, "inherited"));
  kernel.Set("inheritedSequence", Napi::Function::New<InheritedSequence>(env, "inheritedSequence"));
  kernel.Set("expectNoPadding", Napi::Function::New<NoPadding>(env, "expectNoPadding"));
  kernel.Set("isOnDevice", Napi::Function::New<IsOnDevice>(env, "isOnDevice"));
  kernel.Set("KtlsKeys", KtlsKeysWrap::Define(env));
  kernel.Set("Readiness", ReadinessWrap::Define(env));
  return kernel;
}

}  // namespace so_crypt
