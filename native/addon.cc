// SPDX-License-Identifier: MIT
// Turns lib/native.ts's calls into calls of the record layer. No exception crosses it: wrong arguments are a TypeError (a bug in lib/),
// everything a user or a peer can cause comes back as a number.
#ifndef _WIN32
#include <fcntl.h>
#endif

#include <cerrno>
#include <memory>
#include <vector>

#include "addon.h"
#include "addon_pattern.h"
#include "record/opener.h"
#include "record/sealer.h"
#include "slab_pool.h"

namespace so_crypt {

bool ReadLayout(napi_env env, napi_value packed, FrameLayout* layout) {
  constexpr size_t kNumbers = 17;
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, packed, &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array ||
      length < kNumbers || length > kNumbers + kMaxHeader)
    return false;
  const int32_t* n = static_cast<const int32_t*>(data);
  *layout = {};
  layout->type_offset = static_cast<int8_t>(*n++);
  layout->inner_type = *n++ != 0;
  layout->length_offset = static_cast<uint8_t>(*n++);
  layout->length_size = static_cast<uint8_t>(*n++);
  layout->length_bias = *n++;
  layout->max_payload = static_cast<uint32_t>(*n++);
  layout->max_body = static_cast<uint32_t>(*n++);
  layout->nonce = static_cast<Nonce>(*n++);
  layout->fixed_iv = static_cast<uint8_t>(*n++);
  layout->explicit_iv = static_cast<uint8_t>(*n++);
  layout->order = static_cast<MacOrder>(*n++);
  layout->tag = static_cast<uint8_t>(*n++);
  layout->padding = static_cast<Padding>(*n++);
  layout->associated_sequence = static_cast<uint8_t>(*n++);
  layout->associated_start = static_cast<uint8_t>(*n++);
  layout->associated_end = static_cast<uint8_t>(*n++);
  layout->associated_length = static_cast<AssociatedLength>(*n++);
  layout->header_length = static_cast<uint8_t>(length - kNumbers);
  for (size_t i = 0; i < layout->header_length; i++) layout->header[i] = static_cast<uint8_t>(n[i]);
  return true;
}

std::unique_ptr<Cipher> NewCipher(const Properties& spec, const CipherInfo& info, size_t max_length, const uint8_t* key, bool encrypt) {
  const std::string provider = Text(spec.Get("provider"));
  const std::string driver = Text(spec.Get("driver"));
  if (info.nonce_is_sequence) return provider == "evp" ? NewEvpCipher(info, key, encrypt) : nullptr;
  if (provider == "af_alg") return NewAfAlgCipher(info, driver.c_str(), key, encrypt, max_length);
  if (provider == "cryptodev") return NewCryptodevCipher(info, driver.empty() ? nullptr : driver.c_str(), key, encrypt);
  return NewEvpCipher(info, key, encrypt);
}

namespace {

// The most that a provider is given of a frame: associated data, text and tag.
size_t MaxRecord(const FrameLayout& layout) { return kMaxAssociated + layout.max_body; }

// Fills init from the object that lib/native.ts calls DirectionSpec. An error message, or null.
const char* ReadSpec(const Properties& spec, bool encrypt, DirectionInit* init) {
  const Napi::Env env = spec.Env();
  const CipherInfo* info = FindCipher(Text(spec.Get("cipher")).c_str());
  if (info == nullptr) return "unknown cipher";
  if (!ReadLayout(env, spec.Get("layout"), &init->layout)) return "no frame layout";
  if (init->layout.fixed_iv > kMaxIv) return "wrong IV length";
  KeyMaterial keys;
  if (const char* error = keys.Read(spec, info->key_length, init->layout.fixed_iv)) return error;
  init->secret = keys.secret;
  memcpy(init->iv, keys.iv, sizeof init->iv);
  if (spec.Get("mac").IsString()) {
    const Bytes mac_key = ViewOf(env, spec.Get("macKey"));
    init->hmac = NewHmac(Text(spec.Get("mac")).c_str(), mac_key.data, mac_key.length);
  }
  if (!IsSound(init->layout, *info, init->hmac == nullptr ? 0 : init->hmac->length())) return "unsound frame layout";
  init->cipher = NewCipher(spec, *info, MaxRecord(init->layout), keys.key, encrypt);
  init->fingerprint = FingerprintOf(keys.key, info->key_length, init->iv, init->layout.fixed_iv);
  if (init->cipher == nullptr) return "the provider has no such cipher";
  init->sequence = spec.Sequence("sequence");
  init->explicit_counter = spec.Sequence("explicitCounter");
  init->limit = static_cast<uint64_t>(Int64(spec.Get("limit")));
  return spec.failed() ? kUnreadable : nullptr;
}

// Methods that Sealer and Opener share.
template <typename Layer>
class DirectionWrap {
 public:
  using Numbers = Slots<std::unique_ptr<Layer>>;

  explicit DirectionWrap(std::shared_ptr<Numbers> slots) : slots_(std::move(slots)), slot_(slots_->Take(&layer_)) {}
  ~DirectionWrap() { slots_->Drop(slot_); }
  const Layer* layer() const { return layer_.get(); }

 protected:
  std::unique_ptr<Layer> layer_;
  const std::shared_ptr<Numbers> slots_;
  uint32_t slot_;

  // It becomes the object of a number that a handshake has made (native-events.ts).
  void TakeOver(Napi::Env env, uint32_t number) {
    if (!slots_->Move(number, &layer_)) {
      Napi::TypeError::New(env, "no such number").ThrowAsJavaScriptException();
      return;
    }
    slots_->Drop(slot_);
    slot_ = number;
  }

  Napi::Value GetSequence(const Napi::CallbackInfo& info) {
    return Napi::BigInt::New(info.Env(), layer_ == nullptr ? uint64_t{0} : layer_->sequence());
  }
  Napi::Value GetFrames(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), layer_ == nullptr ? 0 : static_cast<double>(layer_->frames()));
  }
  // updateKey() → false without a traffic secret, or when the provider failed
  Napi::Value DoUpdateKey(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), layer_ != nullptr && layer_->UpdateKey());
  }
  Napi::Value GetUsedKeys(const Napi::CallbackInfo& info) {
    return layer_ == nullptr ? info.Env().Null() : FingerprintsOf(info.Env(), layer_->used());
  }
  void DoDispose() { layer_.reset(); }
  Napi::Value GetSlot(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), slot_); }
};

class SealerWrap : public Napi::ObjectWrap<SealerWrap>, public DirectionWrap<Sealer> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Sealer",
                       {InstanceMethod<&SealerWrap::Seal>("seal"), InstanceMethod<&SealerWrap::UpdateKey>("updateKey"),
                        InstanceAccessor<&SealerWrap::UsedKeys>("usedKeys"),
                        InstanceMethod<&SealerWrap::ExportKeys>("exportKeys"),
                        InstanceMethod<&SealerWrap::SetMaxFragment>("setMaxFragment"),
                        InstanceMethod<&SealerWrap::Dispose>("dispose"), InstanceAccessor<&SealerWrap::Sequence>("sequence"),
                        InstanceAccessor<&SealerWrap::Frames>("frames"), InstanceAccessor<&SealerWrap::Overhead>("overhead"),
                        InstanceAccessor<&SealerWrap::Slot>("slot")});
  }

  explicit SealerWrap(const Napi::CallbackInfo& info)
      : ObjectWrap(info), DirectionWrap(info.Env().GetInstanceData<Instance>()->sealers) {
    if (info[0].IsNumber()) {
      TakeOver(info.Env(), Uint32(info.Env(), info[0]));
      return;
    }
    DirectionInit init = {};
    if (info.Length() > 1) {
      const Pattern* pattern;
      const char* error = ReadPattern(info, true, &init, &pattern);
      if (pattern->max_fragment == 0 || pattern->max_fragment > pattern->layout.max_payload) error = "wrong maxFragment";
      if (error == nullptr) layer_ = std::make_unique<Sealer>(std::move(init), pattern->max_fragment, 0, false);
      else Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    const Properties spec(info[0]);
    const size_t max_fragment = Uint32(spec.Get("maxFragment")), pad_to = Uint32(spec.Get("padTo"));
    const bool split_first = Bool(spec.Get("splitFirst"));
    if (const char* error = ReadSpec(spec, true, &init)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    if (max_fragment == 0 || max_fragment > init.layout.max_payload) {
      Napi::TypeError::New(info.Env(), "wrong maxFragment").ThrowAsJavaScriptException();
      return;
    }
    layer_ = std::make_unique<Sealer>(std::move(init), max_fragment, pad_to, split_first);
  }

 private:
  // seal(type, chunks, out, fd, more) → bytes in out, or a negative SealStatus. With a descriptor that is no -1 the socket gets them, and the
  // first number in the environment's result array is how many it has taken, or -errno. more: FIN follows.
  Napi::Value Seal(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const napi_value args[] = {info[0], info[1], info[2], info[3], info[4]};
    return Napi::Number::New(env, SealFrames(env, env.GetInstanceData<Instance>(), layer_.get(), args));
  }

  // exportKeys() → key, iv, secret, sequence and explicitCounter of the next frame, for another engine that goes on; undefined when the
  // provider does not keep the key
  Napi::Value ExportKeys(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (layer_ == nullptr || layer_->cipher().Key() == nullptr) return env.Undefined();
    const auto copy = [&](const uint8_t* data, size_t length) { return Napi::Buffer<uint8_t>::Copy(env, data, length); };
    Napi::Object keys = Napi::Object::New(env);
    const bool done = keys.Set("key", copy(layer_->cipher().Key(), layer_->cipher().info().key_length)) &&
                      keys.Set("iv", copy(layer_->iv(), layer_->layout().fixed_iv)) &&
                      keys.Set("secret", copy(layer_->secret().data(), layer_->secret().length())) &&
                      keys.Set("sequence", Napi::BigInt::New(env, layer_->sequence())) &&
                      keys.Set("explicitCounter", Napi::BigInt::New(env, layer_->explicit_counter()));
    return done ? keys : env.Undefined();
  }

  // setMaxFragment(size): from the next frame on
  void SetMaxFragment(const Napi::CallbackInfo& info) {
    const size_t size = Uint32(info[0]);
    if (layer_ == nullptr || layer_->SetMaxFragment(size)) return;
    Napi::TypeError::New(info.Env(), "wrong maxFragment").ThrowAsJavaScriptException();
  }

  Napi::Value UpdateKey(const Napi::CallbackInfo& info) { return DoUpdateKey(info); }
  Napi::Value UsedKeys(const Napi::CallbackInfo& info) { return GetUsedKeys(info); }
  void Dispose(const Napi::CallbackInfo&) { DoDispose(); }
  Napi::Value Sequence(const Napi::CallbackInfo& info) { return GetSequence(info); }
  Napi::Value Frames(const Napi::CallbackInfo& info) { return GetFrames(info); }
  Napi::Value Slot(const Napi::CallbackInfo& info) { return GetSlot(info); }
  Napi::Value Overhead(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), layer_ == nullptr ? 0 : static_cast<double>(layer_->MaxOverhead()));
  }
};

class OpenerWrap : public Napi::ObjectWrap<OpenerWrap>, public DirectionWrap<Opener> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Opener",
                       {InstanceMethod<&OpenerWrap::Open>("open"), InstanceMethod<&OpenerWrap::UpdateKey>("updateKey"),
                        InstanceAccessor<&OpenerWrap::UsedKeys>("usedKeys"), InstanceAccessor<&OpenerWrap::Missing>("missing"), InstanceAccessor<&OpenerWrap::Iv>("iv"),
                        InstanceMethod<&OpenerWrap::Dispose>("dispose"), InstanceAccessor<&OpenerWrap::Sequence>("sequence"),
                        InstanceAccessor<&OpenerWrap::Frames>("frames"), InstanceAccessor<&OpenerWrap::Slot>("slot")});
  }

  explicit OpenerWrap(const Napi::CallbackInfo& info)
      : ObjectWrap(info), DirectionWrap(info.Env().GetInstanceData<Instance>()->openers) {
    if (info[0].IsNumber()) {
      TakeOver(info.Env(), Uint32(info.Env(), info[0]));
      return;
    }
    DirectionInit init = {};
    if (info.Length() > 1) {
      const Pattern* pattern;
      const char* const error = ReadPattern(info, false, &init, &pattern);
      if (error == nullptr) layer_ = std::make_unique<Opener>(std::move(init), pattern->application_type);
      else Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    const Properties spec(info[0]);
    const uint8_t application_type = static_cast<uint8_t>(Uint32(spec.Get("applicationType")));
    if (const char* error = ReadSpec(spec, false, &init)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    layer_ = std::make_unique<Opener>(std::move(init), application_type);
  }

 private:
  // open(in, start, end, out) → status; the other numbers are in the environment's result array
  Napi::Value Open(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return Napi::Number::New(env, OpenFrames(env.GetInstanceData<Instance>(), layer_.get(), ViewOf(env, info[0]), Uint32(env, info[1]),
                                             Uint32(env, info[2]), ViewOf(env, info[3])));
  }

  Napi::Value UpdateKey(const Napi::CallbackInfo& info) { return DoUpdateKey(info); }
  Napi::Value UsedKeys(const Napi::CallbackInfo& info) { return GetUsedKeys(info); }
  void Dispose(const Napi::CallbackInfo&) { DoDispose(); }
  Napi::Value Sequence(const Napi::CallbackInfo& info) { return GetSequence(info); }
  Napi::Value Frames(const Napi::CallbackInfo& info) { return GetFrames(info); }
  Napi::Value Slot(const Napi::CallbackInfo& info) { return GetSlot(info); }
  // The IV of the next frame of a chained layout, else the fixed part of all.
  Napi::Value Iv(const Napi::CallbackInfo& info) {
    if (layer_ == nullptr) return info.Env().Null();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), layer_->iv(), layer_->layout().fixed_iv);
  }
  Napi::Value Missing(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), layer_ == nullptr ? 0 : static_cast<double>(layer_->missing()));
  }
};

// Bytes of slabs given to JavaScript since V8 last found a dead one.
thread_local size_t slabs_since_return = 0;

// slab(class) → a Buffer whose memory goes back to the pool when it is garbage; undefined where V8 wants all memory for itself
// (Electron's memory cage)
Napi::Value Slab(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const size_t size_class = Uint32(info[0]);
  if (size_class >= SlabPool::kClasses) return info.Env().Undefined();
  uint8_t* const slab = SlabPool::Shared().Acquire(size_class);
  if (slab == nullptr) return info.Env().Undefined();
  const auto release = [](napi_env, void* data, void* hint) {
    SlabPool::Shared().Release(static_cast<uint8_t*>(data), reinterpret_cast<uintptr_t>(hint));
    slabs_since_return = 0;
  };
  napi_value buffer;
  const napi_status status =
      napi_create_external_buffer(env, SlabPool::kSizes[size_class], slab, release, reinterpret_cast<void*>(size_class), &buffer);
  if (status == napi_ok) {
    slabs_since_return += SlabPool::kSizes[size_class];
    return Napi::Value(env, buffer);
  }
  SlabPool::Shared().Release(slab, size_class);
  return info.Env().Undefined();
}

Napi::Value SlabsSinceReturn(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(slabs_since_return));
}

// discard(buffers): gives memory back at once, where a Buffer has an ArrayBuffer of its own; nobody may look at them again
void Discard(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const napi_value list = info[0];
  uint32_t count = 0;
  napi_get_array_length(env, list, &count);
  for (uint32_t i = 0; i < count; i++) {
    Napi::HandleScope scope(env);
    napi_value buffer, memory;
    size_t length, whole, offset;
    void* data;
    if (napi_get_element(env, list, i, &buffer) != napi_ok ||
        napi_get_typedarray_info(env, buffer, nullptr, &length, nullptr, &memory, &offset) != napi_ok ||
        napi_get_arraybuffer_info(env, memory, &data, &whole) != napi_ok)
      continue;
    if (offset == 0 && length == whole) napi_detach_arraybuffer(env, memory);
  }
}

// failure() → [system call, errno], the last one of this thread's providers since it was asked for; undefined: there was none
Napi::Value TakeFailure(const Napi::CallbackInfo& info) {
  const Failure failure = LastFailure();
  LastFailure() = {nullptr, 0};
  if (failure.call == nullptr) return info.Env().Undefined();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, failure.call);
  result.Set(1u, failure.error);
  return result;
}

// The cipher of checkAfAlg and checkCryptodev, and the most that it will be given at once: told, or by a layout, or not known yet. Null:
// an exception is pending.
const CipherInfo* CipherToCheck(const Napi::CallbackInfo& info, size_t* max_length) {
  const CipherInfo* const cipher = FindCipher(Text(info[0]).c_str());
  FrameLayout layout = {};
  const bool known = info[2].IsUndefined() || info[2].IsNumber() || ReadLayout(info.Env(), info[2], &layout);
  if (cipher == nullptr || cipher->nonce_is_sequence || !known) {
    Napi::TypeError::New(info.Env(), "unknown cipher or layout").ThrowAsJavaScriptException();
    return nullptr;
  }
  *max_length = info[2].IsNumber() ? Uint32(info[2]) : MaxRecord(layout);
  return cipher;
}

// checkAfAlg(cipher, driver, layout, length or undefined) → whether it works; if not, failure() tells why
Napi::Value CheckKernelCipher(const Napi::CallbackInfo& info) {
  size_t max_length;
  const CipherInfo* const cipher = CipherToCheck(info, &max_length);
  if (cipher == nullptr) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), CheckAfAlg(*cipher, Text(info[1]).c_str(), max_length));
}

// checkCryptodev(cipher, driver or "", layout, length or undefined) → the driver's name or "", undefined: it does not work; failure() tells why
Napi::Value CheckDevice(const Napi::CallbackInfo& info) {
  size_t max_length;
  const CipherInfo* const cipher = CipherToCheck(info, &max_length);
  if (cipher == nullptr) return info.Env().Undefined();
  const std::string driver = Text(info[1]);
  std::string name;
  if (!CheckCryptodev(*cipher, driver.empty() ? nullptr : driver.c_str(), max_length, &name)) return info.Env().Undefined();
  return Napi::String::New(info.Env(), name);
}

// afAlgName(cipher) → what the kernel calls it
Napi::Value KernelName(const Napi::CallbackInfo& info) {
  const CipherInfo* const cipher = FindCipher(Text(info[0]).c_str());
  return Napi::String::New(info.Env(), cipher == nullptr ? "" : AfAlgName(*cipher));
}

#ifndef _WIN32
// duplicate(fd) → another descriptor of the same connection, or -errno
Napi::Value Duplicate(const Napi::CallbackInfo& info) {
  const int copy = fcntl(Fd(info), F_DUPFD_CLOEXEC, 0);
  return Napi::Number::New(info.Env(), copy < 0 ? -errno : copy);
}
#endif

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto made = std::make_unique<Instance>();
  napi_value result;
  made->numbers = NewNumbers<int32_t>(env, napi_int32_array, 5, &result);
  if (made->numbers == nullptr || !DefineSsh(env, exports, made.get())) return exports;
  made->result = Napi::Persistent(Napi::Value(env, result));
  Instance* const instance = made.release();
  env.SetInstanceData(instance);
  exports.Set("result", result);
  exports.Set("slab", Napi::Function::New<Slab>(env, "slab"));
  exports.Set("slabsSinceReturn", Napi::Function::New<SlabsSinceReturn>(env, "slabsSinceReturn"));
  exports.Set("discard", Napi::Function::New<Discard>(env, "discard"));
  exports.Set("failure", Napi::Function::New<TakeFailure>(env, "failure"));
  exports.Set("checkAfAlg", Napi::Function::New<CheckKernelCipher>(env, "checkAfAlg"));
  exports.Set("checkCryptodev", Napi::Function::New<CheckDevice>(env, "checkCryptodev"));
  exports.Set("afAlgName", Napi::Function::New<KernelName>(env, "afAlgName"));
  exports.Set("DirectionPattern", PatternWrap::Define(env));
  exports.Set("Sealer", SealerWrap::Define(env));
  exports.Set("Opener", OpenerWrap::Define(env));
  DefineSmall(env, exports, instance);
#ifndef _WIN32
  exports.Set("duplicate", Napi::Function::New<Duplicate>(env, "duplicate"));
#endif
#if defined(__linux__) || defined(__OpenBSD__)
  exports.Set("kernel", DefineKernel(env));
#endif
#ifdef __linux__
  DefineHandshakes(env, exports);
  DefineRelays(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(so_crypt, Init)

}  // namespace so_crypt
