// SPDX-License-Identifier: MIT
// The kernel engines' system calls for lib/kernel/. Results are counts, or -errno.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "addon.h"
#include "async_call.h"
#include "kernel/readiness.h"
#include "kernel/so_crypt.h"
#include "kernel/socket_io.h"
#include "kernel/ssh_io.h"
#include "providers/provider.h"

namespace so_crypt {
namespace {

// attachSoCrypt(fd)
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
  return Result(info, SendRecord(Fd(info), static_cast<uint8_t>(Uint32(info[1])), content.data, content.length));
}

// sendPayloads(fd, payloads, from, to): how many the kernel has taken
Napi::Value SendSsh(const Napi::CallbackInfo& info) {
  static thread_local std::vector<Payload> payloads;
  payloads.clear();
  const uint32_t to = Uint32(info[3]);
  for (uint32_t i = Uint32(info[2]); i < to; i++) {
    napi_value element;
    if (napi_get_element(info.Env(), info[1], i, &element) != napi_ok) return Result(info, -EINVAL);
    const Bytes bytes = ViewOf(info.Env(), element);
    payloads.push_back({bytes.data, bytes.length});
  }
  return Result(info, SendPayloads(Fd(info), payloads.data(), payloads.size()));
}

// receivePayloads(fd, out, partial): a ReceiveStatus; result: payloads, bytes behind them that are the beginning of another; where they lie
// is in sshPayloads
Napi::Value ReceiveSsh(const Napi::CallbackInfo& info) {
  Instance* const instance = info.Env().GetInstanceData<Instance>();
  const Bytes out = ViewOf(info.Env(), info[1]);
  size_t partial = std::min<size_t>(Uint32(info[2]), out.length), count;
  ReceivedPayload payloads[kMostSshPayloads];
  const int status = ReceivePayloads(Fd(info), out.data, out.length, &partial, payloads, kMostSshPayloads, &count);
  memcpy(instance->payloads, payloads, count * sizeof *payloads);
  instance->numbers[0] = static_cast<int32_t>(count);
  instance->numbers[1] = static_cast<int32_t>(partial);
  return Result(info, status);
}

// probeSoCrypt() -> [error, step]
Napi::Value ProbeOurs(const Napi::CallbackInfo& info) {
  const char* step = "";
  Napi::Array answer = Napi::Array::New(info.Env(), 2);
  answer.Set(0u, Napi::Number::New(info.Env(), ProbeSoCrypt(&step)));
  answer.Set(1u, Napi::String::New(info.Env(), step));
  return answer;
}

// new SoCryptKeys(spec, protocol, write, maxPayload)
class SoCryptKeysWrap : public Napi::ObjectWrap<SoCryptKeysWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SoCryptKeys",
                       {InstanceMethod<&SoCryptKeysWrap::Arm>("arm"), InstanceMethod<&SoCryptKeysWrap::Next>("next"),
                        InstanceMethod<&SoCryptKeysWrap::SetIv>("setIv"), InstanceMethod<&SoCryptKeysWrap::Sequence>("sequence"),
                        InstanceMethod<&SoCryptKeysWrap::Dispose>("dispose"), InstanceAccessor<&SoCryptKeysWrap::UsedKeys>("usedKeys")});
  }

  explicit SoCryptKeysWrap(const Napi::CallbackInfo& info) : ObjectWrap(info), write_(Bool(info[2])) {
    const Properties spec(info[0]);
    constexpr int kSsh = 5;  // SO_CRYPT_SSH: an SshSpec, which has no layout
    const bool ssh = Int32(info[1]) == kSsh;
    cipher_ = Text(spec.Get("cipher"));
    if (spec.Get("mac").IsString()) mac_ = Text(spec.Get("mac"));
    const CipherInfo* const cipher = FindCipher(cipher_.c_str());
    const Bytes mac_key = ViewOf(info.Env(), spec.Get("macKey"));
    SoCryptSpec to = {};
    KeyMaterial keys;
    const char* error = nullptr;
    if (cipher == nullptr) error = "unknown cipher";
    else if (mac_key.length > SoCryptKeys::kMaxMacKey) error = "wrong length";
    else if (ssh) error = nullptr;
    else if (!ReadLayout(info.Env(), spec.Get("layout"), &to.layout)) error = "no frame layout";
    else if (to.layout.fixed_iv > kMaxIv || mac_key.length > SoCryptKeys::kMaxMacKey) error = "wrong length";
    else error = keys.Read(spec, cipher->key_length, to.layout.fixed_iv);
    to.protocol = Int32(info[1]);
    to.cipher = cipher_.c_str();
    if (spec.Get("driver").IsString()) driver_ = Text(spec.Get("driver"));
    to.driver = driver_.c_str();
    to.mac = mac_.c_str();
    to.max_payload = Uint32(info[3]);
    if (error == nullptr && ssh) {
      MakeSshKeys(spec, *cipher, to, mac_key);
      return;
    }
    to.sequence = spec.Sequence("sequence");
    to.explicit_nonce = spec.Sequence("explicitCounter");
    if (error == nullptr && spec.failed()) error = kUnreadable;
    if (error != nullptr) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    keys_ = std::make_unique<SoCryptKeys>(to, keys.key, cipher->key_length, keys.iv, to.layout.fixed_iv, mac_key.data, mac_key.length,
                                          keys.secret);
  }

 private:
  void MakeSshKeys(const Properties& spec, const CipherInfo& cipher, SoCryptSpec to, const Bytes& mac_key) {
    const Napi::Env env = spec.Env();
    const Bytes key = ViewOf(env, spec.Get("key")), iv = ViewOf(env, spec.Get("iv"));
    if (key.length != cipher.key_length || key.length > SoCryptKeys::kMaxKey || iv.length > kMaxIv) {
      Napi::TypeError::New(env, "wrong length").ThrowAsJavaScriptException();
      return;
    }
    to.layout.order = Bool(spec.Get("encryptThenMac")) ? MacOrder::kEncryptThenMac : MacOrder::kAead;
    to.sequence = Uint32(spec.Get("sequence"));
    if (spec.failed()) {
      Napi::TypeError::New(env, kUnreadable).ThrowAsJavaScriptException();
      return;
    }
    keys_ = std::make_unique<SoCryptKeys>(to, key.data, key.length, iv.data, iv.length, mac_key.data, mac_key.length, TrafficSecret());
  }

  // arm(fd, sequence?, again)
  Napi::Value Arm(const Napi::CallbackInfo& info) {
    if (keys_ == nullptr) return Result(info, -EBADF);
    uint64_t sequence;
    if (BigUint64(info[1], &sequence)) keys_->set_sequence(sequence);
    return Result(info, keys_->Arm(Fd(info), write_, Bool(info[2])));
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
      : ObjectWrap(info), callback_(Napi::Persistent(info[0].As<Napi::Function>())), context_(info.Env(), "so-crypt.Readiness") {
    const Napi::Env env = info.Env();
    napi_value ids, masks;
    ids_ = NewNumbers<uint32_t>(env, napi_uint32_array, Readiness::kMostEvents, &ids);
    masks_ = NewNumbers<uint32_t>(env, napi_uint32_array, Readiness::kMostEvents, &masks);
    uv_loop_t* loop;
    // (An object that is not wrapped: this thread is being terminated.)
    if (IsEmpty() || ids_ == nullptr || masks_ == nullptr || napi_get_uv_event_loop(env, &loop) != napi_ok) return;
    ids_array_ = Napi::Persistent(Napi::Value(env, ids));
    masks_array_ = Napi::Persistent(Napi::Value(env, masks));
    readiness_ = Readiness::Open(loop, [this](const Ready* ready, int count) { OnEvents(ready, count); }, &error_);
    if (readiness_ == nullptr) return;
    Ref();  // for as long as the environment lives
    napi_add_async_cleanup_hook(info.Env(), OnCleanup, this, &cleanup_);
  }

 private:
  Napi::Value Error(const Napi::CallbackInfo& info) { return Result(info, error_); }

  // watch(fd, id, writable, isKnown)
  Napi::Value Watch(const Napi::CallbackInfo& info) {
    if (readiness_ == nullptr) return Result(info, -EBADF);
    return Result(info, readiness_->Watch(Fd(info), Uint32(info[1]), Bool(info[2]), Bool(info[3])));
  }

  void Forget(const Napi::CallbackInfo& info) {
    if (readiness_ != nullptr) readiness_->Forget(Fd(info));
  }

  void SetRef(const Napi::CallbackInfo& info) {
    if (readiness_ != nullptr) readiness_->SetRef(Bool(info[0]));
  }

  void OnEvents(const Ready* ready, int count) {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    for (int i = 0; i < count; i++) {
      ids_[i] = ready[i].id;
      masks_[i] = ready[i].mask;
    }
    CallBack(env, context_, Value(), callback_, {ids_array_.Value(), masks_array_.Value(), Napi::Number::New(env, count)});
  }

  // The environment ends (a worker is terminated): the event loop must be let go of before.
  static void OnCleanup(napi_async_cleanup_hook_handle, void* data) {
    ReadinessWrap* const self = static_cast<ReadinessWrap*>(data);
    Readiness* const readiness = self->readiness_;
    self->readiness_ = nullptr;
    readiness->Close([self] { napi_remove_async_cleanup_hook(self->cleanup_); });
  }

  Napi::FunctionReference callback_;
  Napi::Reference<Napi::Value> ids_array_, masks_array_;
  uint32_t *ids_ = nullptr, *masks_ = nullptr;
  Napi::AsyncContext context_;
  Readiness* readiness_ = nullptr;
  int error_ = -EINVAL;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

}  // namespace

Napi::Object DefineKernel(Napi::Env env) {
  Napi::Object kernel = Napi::Object::New(env);
  kernel.Set("attachSoCrypt", Napi::Function::New<AttachOurs>(env, "attachSoCrypt"));
  kernel.Set("probeSoCrypt", Napi::Function::New<ProbeOurs>(env, "probeSoCrypt"));
  kernel.Set("SoCryptKeys", SoCryptKeysWrap::Define(env));
  kernel.Set("receive", Napi::Function::New<Receive>(env, "receive"));
  kernel.Set("receivePlain", Napi::Function::New<ReceivePlain>(env, "receivePlain"));
  kernel.Set("sendRecord", Napi::Function::New<Send>(env, "sendRecord"));
  kernel.Set("sendPayloads", Napi::Function::New<SendSsh>(env, "sendPayloads"));
  kernel.Set("receivePayloads", Napi::Function::New<ReceiveSsh>(env, "receivePayloads"));
  kernel.Set("Readiness", ReadinessWrap::Define(env));
#ifdef __linux__
  DefineLinuxKernel(env, kernel);
#endif
  return kernel;
}

}  // namespace so_crypt
