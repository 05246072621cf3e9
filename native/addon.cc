// SPDX-License-Identifier: MIT
// The only file that knows N-API: it turns lib/native.ts's calls into calls of the record layer. No exception crosses it: wrong
// arguments are a TypeError (a bug in lib/), everything a user or a peer can cause comes back as a number.
#include <napi.h>

#include <memory>
#include <vector>

#include "record/opener.h"
#include "record/sealer.h"
#include "slab_pool.h"

namespace so_crypt {
namespace {

// State of one JavaScript environment (main thread or worker): the numbers Open answers, see lib/native.ts.
struct Instance {
  Napi::Reference<Napi::Int32Array> result;
  int32_t* numbers;
};

uint32_t Number(const Napi::Object& object, const char* name) { return object.Get(name).ToNumber().Uint32Value(); }

uint64_t BigInt(const Napi::Object& object, const char* name) {
  bool lossless;
  return object.Get(name).As<Napi::BigInt>().Uint64Value(&lossless);
}

// A view of a Uint8Array. Never null with a length of 0, so that memcpy and EVP may have it.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

Bytes ViewOf(napi_env env, napi_value value) {
  static uint8_t nothing;
  Bytes bytes;
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &bytes.length, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array)
    return {&nothing, 0};
  bytes.data = bytes.length == 0 ? &nothing : static_cast<uint8_t*>(data);
  return bytes;
}

// The layout's numbers in the order of lib/native.ts's packLayout(), and the header behind them.
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

// lib/ has validated all of this; what is checked again is what memory safety hangs on.
bool IsSound(const FrameLayout& l, const CipherInfo& cipher, size_t hmac_length) {
  const bool aead = l.order == MacOrder::kAead;
  return l.header_length > 0 && l.type_offset < l.header_length && l.length_size >= 1 && l.length_size <= 4 &&
         l.length_offset + l.length_size <= l.header_length && l.max_payload <= (1 << 20) && l.max_body <= (1 << 21) &&
         l.nonce <= Nonce::kChained && l.order <= MacOrder::kEncryptThenMac && l.padding <= Padding::kTls &&
         l.fixed_iv + l.explicit_iv <= cipher.iv_length && (l.nonce != Nonce::kXorSequence || l.fixed_iv >= 8) &&
         (l.nonce != Nonce::kChained || (l.fixed_iv == cipher.block && cipher.mode == CipherMode::kCbc)) &&
         aead == (cipher.mode == CipherMode::kAead) && (aead ? l.tag == cipher.tag_length : l.tag <= hmac_length && l.tag > 0) &&
         (cipher.mode != CipherMode::kCbc || l.padding == Padding::kTls) && (!l.inner_type || aead) &&
         (l.padding == Padding::kNone || cipher.mode == CipherMode::kCbc) && l.associated_start <= l.associated_end &&
         l.associated_end <= l.header_length && l.associated_sequence <= 8 &&
         (l.associated_length == AssociatedLength::kFrame ||
          (l.associated_start <= l.length_offset && l.length_offset + l.length_size <= l.associated_end));
}

// Fills init from the object that lib/native.ts calls DirectionSpec. An error message, or null.
const char* ReadSpec(const Napi::Object& spec, bool encrypt, DirectionInit* init) {
  const Napi::Env env = spec.Env();
  const CipherInfo* info = FindCipher(spec.Get("cipher").ToString().Utf8Value().c_str());
  if (info == nullptr) return "unknown cipher";
  if (!ReadLayout(env, spec.Get("layout"), &init->layout)) return "no frame layout";
  const Bytes secret = ViewOf(env, spec.Get("secret"));
  const Bytes given_key = ViewOf(env, spec.Get("key"));
  const Bytes given_iv = ViewOf(env, spec.Get("iv"));
  init->secret.Set(secret.data, secret.length);
  const bool derive = given_key.length == 0 && !init->secret.empty() && init->layout.fixed_iv <= kMaxIv;
  if (!derive && given_key.length != info->key_length) return "wrong key length";
  if (!derive && (given_iv.length != init->layout.fixed_iv || given_iv.length > kMaxIv)) return "wrong IV length";
  uint8_t key[kMaxKey];
  memset(init->iv, 0, sizeof init->iv);
  if (derive) {
    init->secret.Expand("key", key, info->key_length);
    init->secret.Expand("iv", init->iv, init->layout.fixed_iv);
  } else {
    memcpy(key, given_key.data, given_key.length);
    memcpy(init->iv, given_iv.data, given_iv.length);
  }
  if (spec.Get("mac").IsString()) {
    const Bytes mac_key = ViewOf(env, spec.Get("macKey"));
    init->hmac = NewHmac(spec.Get("mac").ToString().Utf8Value().c_str(), mac_key.data, mac_key.length);
  }
  if (!IsSound(init->layout, *info, init->hmac == nullptr ? 0 : init->hmac->length())) return "unsound frame layout";
  init->cipher = NewEvpCipher(*info, key, encrypt);
  init->fingerprint = FingerprintOf(key, info->key_length, init->iv, init->layout.fixed_iv);
  OPENSSL_cleanse(key, sizeof key);
  if (init->cipher == nullptr) return "OpenSSL has no such cipher";
  init->sequence = BigInt(spec, "sequence");
  init->explicit_counter = BigInt(spec, "explicitCounter");
  init->limit = static_cast<uint64_t>(spec.Get("limit").ToNumber().Int64Value());
  return nullptr;
}

// Methods that Sealer and Opener share.
template <typename Layer>
class DirectionWrap {
 public:
  const Layer* layer() const { return layer_.get(); }

 protected:
  std::unique_ptr<Layer> layer_;

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
  void DoDispose() { layer_.reset(); }
};

// hasUsedKeyOf(other), of the same class
template <typename Wrap>
Napi::Value HasUsedKeyOf(const Napi::CallbackInfo& info, const Wrap& self) {
  const Wrap* other = Wrap::Unwrap(info[0].ToObject());
  const bool used = self.layer() != nullptr && other->layer() != nullptr && self.layer()->HasUsedKeyOf(*other->layer());
  return Napi::Boolean::New(info.Env(), used);
}

class SealerWrap : public Napi::ObjectWrap<SealerWrap>, public DirectionWrap<Sealer> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Sealer",
                       {InstanceMethod<&SealerWrap::Seal>("seal"), InstanceMethod<&SealerWrap::UpdateKey>("updateKey"),
                        InstanceMethod<&SealerWrap::HasUsed>("hasUsedKeyOf"),
                        InstanceMethod<&SealerWrap::SetMaxFragment>("setMaxFragment"),
                        InstanceMethod<&SealerWrap::Dispose>("dispose"), InstanceAccessor<&SealerWrap::Sequence>("sequence"),
                        InstanceAccessor<&SealerWrap::Frames>("frames"), InstanceAccessor<&SealerWrap::Overhead>("overhead")});
  }

  explicit SealerWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Object spec = info[0].ToObject();
    DirectionInit init;
    if (const char* error = ReadSpec(spec, true, &init)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    const size_t max_fragment = Number(spec, "maxFragment");
    if (max_fragment == 0 || max_fragment > init.layout.max_payload) {
      Napi::TypeError::New(info.Env(), "wrong maxFragment").ThrowAsJavaScriptException();
      return;
    }
    layer_ = std::make_unique<Sealer>(std::move(init), max_fragment, Number(spec, "padTo"), spec.Get("splitFirst").ToBoolean());
  }

 private:
  // seal(type, chunks, out) → bytes in out, or a negative SealStatus
  Napi::Value Seal(const Napi::CallbackInfo& info) {
    const napi_env env = info.Env();
    if (layer_ == nullptr) return Napi::Number::New(env, static_cast<int>(SealStatus::kLimit));
    const uint8_t type = static_cast<uint8_t>(info[0].ToNumber().Uint32Value());
    const Bytes out = ViewOf(env, info[2]);
    std::vector<Chunk>& chunks = Scratch();
    chunks.clear();
    if (info[1].IsArray()) {
      const napi_value list = info[1];
      uint32_t count = 0;
      napi_get_array_length(env, list, &count);
      for (uint32_t i = 0; i < count; i++) {
        napi_value element;
        napi_get_element(env, list, i, &element);
        const Bytes bytes = ViewOf(env, element);
        chunks.push_back({bytes.data, bytes.length});
      }
    } else {
      const Bytes bytes = ViewOf(env, info[1]);
      chunks.push_back({bytes.data, bytes.length});
    }
    size_t written;
    const SealStatus status = layer_->Seal(type, chunks.data(), chunks.size(), out.data, out.length, &written);
    return Napi::Number::New(env, status == SealStatus::kOk ? static_cast<double>(written) : static_cast<int>(status));
  }

  static std::vector<Chunk>& Scratch() {
    static thread_local std::vector<Chunk> chunks;
    return chunks;
  }

  // setMaxFragment(size): from the next frame on
  void SetMaxFragment(const Napi::CallbackInfo& info) {
    const size_t size = info[0].ToNumber().Uint32Value();
    if (layer_ == nullptr || layer_->SetMaxFragment(size)) return;
    Napi::TypeError::New(info.Env(), "wrong maxFragment").ThrowAsJavaScriptException();
  }

  Napi::Value UpdateKey(const Napi::CallbackInfo& info) { return DoUpdateKey(info); }
  Napi::Value HasUsed(const Napi::CallbackInfo& info) { return HasUsedKeyOf(info, *this); }
  void Dispose(const Napi::CallbackInfo&) { DoDispose(); }
  Napi::Value Sequence(const Napi::CallbackInfo& info) { return GetSequence(info); }
  Napi::Value Frames(const Napi::CallbackInfo& info) { return GetFrames(info); }
  Napi::Value Overhead(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), layer_ == nullptr ? 0 : static_cast<double>(layer_->MaxOverhead()));
  }
};

class OpenerWrap : public Napi::ObjectWrap<OpenerWrap>, public DirectionWrap<Opener> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Opener",
                       {InstanceMethod<&OpenerWrap::Open>("open"), InstanceMethod<&OpenerWrap::UpdateKey>("updateKey"),
                        InstanceMethod<&OpenerWrap::HasUsed>("hasUsedKeyOf"),
                        InstanceMethod<&OpenerWrap::Dispose>("dispose"), InstanceAccessor<&OpenerWrap::Sequence>("sequence"),
                        InstanceAccessor<&OpenerWrap::Frames>("frames")});
  }

  explicit OpenerWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Object spec = info[0].ToObject();
    DirectionInit init;
    if (const char* error = ReadSpec(spec, false, &init)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    layer_ = std::make_unique<Opener>(std::move(init), static_cast<uint8_t>(Number(spec, "applicationType")));
  }

 private:
  // open(in, start, end, out) → status; the other numbers are in the environment's result array
  Napi::Value Open(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (layer_ == nullptr) return Napi::Number::New(env, static_cast<int>(OpenStatus::kLimit));
    const Bytes in = ViewOf(env, info[0]);
    const size_t end = std::min<size_t>(info[2].ToNumber().Uint32Value(), in.length);
    const size_t start = std::min<size_t>(info[1].ToNumber().Uint32Value(), end);
    const Bytes out = ViewOf(env, info[3]);
    const OpenResult result = layer_->Open(in.data + start, end - start, out.data, out.length);
    int32_t* const numbers = env.GetInstanceData<Instance>()->numbers;
    numbers[0] = static_cast<int32_t>(result.consumed);
    numbers[1] = static_cast<int32_t>(result.produced);
    numbers[2] = result.type;
    numbers[3] = static_cast<int32_t>(result.control_length);
    numbers[4] = static_cast<int32_t>(layer_->stashed());
    return Napi::Number::New(env, static_cast<int>(result.status));
  }

  Napi::Value UpdateKey(const Napi::CallbackInfo& info) { return DoUpdateKey(info); }
  Napi::Value HasUsed(const Napi::CallbackInfo& info) { return HasUsedKeyOf(info, *this); }
  void Dispose(const Napi::CallbackInfo&) { DoDispose(); }
  Napi::Value Sequence(const Napi::CallbackInfo& info) { return GetSequence(info); }
  Napi::Value Frames(const Napi::CallbackInfo& info) { return GetFrames(info); }
};

// slab(class) → a Buffer whose memory goes back to the pool when it is garbage; undefined where V8 wants all memory for itself
// (Electron's memory cage)
Napi::Value Slab(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const size_t size_class = info[0].ToNumber().Uint32Value();
  if (size_class >= SlabPool::kClasses) return info.Env().Undefined();
  uint8_t* const slab = SlabPool::Shared().Acquire(size_class);
  if (slab == nullptr) return info.Env().Undefined();
  const auto release = [](napi_env, void* data, void* hint) {
    SlabPool::Shared().Release(static_cast<uint8_t*>(data), reinterpret_cast<uintptr_t>(hint));
  };
  napi_value buffer;
  const napi_status status =
      napi_create_external_buffer(env, SlabPool::kSizes[size_class], slab, release, reinterpret_cast<void*>(size_class), &buffer);
  if (status == napi_ok) return Napi::Value(env, buffer);
  SlabPool::Shared().Release(slab, size_class);
  return info.Env().Undefined();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* instance = new Instance();
  Napi::Int32Array result = Napi::Int32Array::New(env, 5);
  instance->numbers = result.Data();
  instance->result = Napi::Persistent(static_cast<Napi::Int32Array>(result));
  env.SetInstanceData(instance);
  exports.Set("result", result);
  exports.Set("slab", Napi::Function::New<Slab>(env, "slab"));
  exports.Set("Sealer", SealerWrap::Define(env));
  exports.Set("Opener", OpenerWrap::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(so_crypt, Init)

}  // namespace so_crypt
