// SPDX-License-Identifier: MIT
// SSH's packets for lib/native.ts: SshSealer and SshOpener.
#include <vector>

#include "addon.h"
#include "record/ssh_opener.h"
#include "record/ssh_sealer.h"

namespace so_crypt {
namespace {

// Fills init from the object that lib/native.ts calls SshSpec. An error message, or null.
const char* ReadSpec(const Properties& spec, bool encrypt, SshInit* init) {
  const Napi::Env env = spec.Env();
  const CipherInfo* const info = FindCipher(Text(spec.Get("cipher")).c_str());
  if (info == nullptr || info->one_update) return "unknown cipher";
  const Bytes key = ViewOf(env, spec.Get("key"));
  const Bytes iv = ViewOf(env, spec.Get("iv"));
  if (key.length != info->key_length) return "wrong key length";
  if (iv.length != (info->nonce_is_sequence ? 0 : info->iv_length) || iv.length > kMaxIv) return "wrong IV length";
  memset(init->iv, 0, sizeof init->iv);
  memcpy(init->iv, iv.data, iv.length);
  if (spec.Get("mac").IsString()) {
    const Bytes mac_key = ViewOf(env, spec.Get("macKey"));
    init->hmac = NewHmac(Text(spec.Get("mac")).c_str(), mac_key.data, mac_key.length);
  }
  if ((init->hmac == nullptr) != (info->mode == CipherMode::kAead)) return "no MAC, or one too many";
  init->encrypt_then_mac = Bool(spec.Get("encryptThenMac"));
  const size_t longest = kSshLengthField + kSshMaxPacket + info->tag_length;
  init->cipher = NewCipher(spec, *info, longest, key.data, encrypt);
  if (init->cipher == nullptr) return "the provider has no such cipher";
  const bool peeks = !encrypt && info->mode != CipherMode::kAead && !init->encrypt_then_mac;
  if (peeks && Text(spec.Get("provider")) != "evp") init->peek = NewEvpCipher(*info, key.data, false);
  init->fingerprint = FingerprintOf(key.data, key.length, iv.data, iv.length);
  init->sequence = Uint32(spec.Get("sequence"));
  init->limit = static_cast<uint64_t>(Int64(spec.Get("limit")));
  return spec.failed() ? kUnreadable : nullptr;
}

// What SshSealer and SshOpener share.
template <typename Wrap, typename Layer>
class SshWrap : public Napi::ObjectWrap<Wrap> {
 public:
  SshWrap(const Napi::CallbackInfo& info, bool encrypt) : Napi::ObjectWrap<Wrap>(info) {
    SshInit init;
    if (const char* error = ReadSpec(Properties(info[0]), encrypt, &init)) {
      Napi::TypeError::New(info.Env(), error).ThrowAsJavaScriptException();
      return;
    }
    layer_ = std::make_unique<Layer>(std::move(init));
  }

 protected:
  // sequence of the next packet
  Napi::Value Sequence(const Napi::CallbackInfo& info) { return Of(info, layer_ == nullptr ? 0 : layer_->sequence()); }
  void SetSequence(const Napi::CallbackInfo& info) {
    if (layer_ != nullptr) layer_->set_sequence(Uint32(info[0]));
  }
  // packets under the key
  Napi::Value Packets(const Napi::CallbackInfo& info) { return Of(info, layer_ == nullptr ? 0 : static_cast<double>(layer_->packets())); }
  // fingerprint of the key
  Napi::Value UsedKeys(const Napi::CallbackInfo& info) {
    if (layer_ == nullptr) return info.Env().Null();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), layer_->used().data(), layer_->used().size());
  }
  void Dispose(const Napi::CallbackInfo&) { layer_.reset(); }

  static Napi::Value Of(const Napi::CallbackInfo& info, double number) { return Napi::Number::New(info.Env(), number); }

  std::unique_ptr<Layer> layer_;
};

class SshSealerWrap : public SshWrap<SshSealerWrap, SshSealer> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SshSealer",
                       {InstanceMethod<&SshSealerWrap::Seal>("seal"), InstanceMethod<&SshSealerWrap::SealParts>("sealParts"),
                        InstanceMethod<&SshSealerWrap::SetSequence>("setSequence"),
                        InstanceMethod<&SshSealerWrap::Dispose>("dispose"), InstanceAccessor<&SshSealerWrap::Sequence>("sequence"),
                        InstanceAccessor<&SshSealerWrap::Packets>("packets"), InstanceAccessor<&SshSealerWrap::UsedKeys>("usedKeys"),
                        InstanceAccessor<&SshSealerWrap::Overhead>("overhead")});
  }

  explicit SshSealerWrap(const Napi::CallbackInfo& info) : SshWrap(info, true) {}

 private:
  // seal(payloads, from, to, out) → bytes in out, or a negative SealStatus
  Napi::Value Seal(const Napi::CallbackInfo& info) {
    const napi_env env = info.Env();
    if (layer_ == nullptr) return Of(info, static_cast<int>(SealStatus::kLimit));
    static thread_local std::vector<Chunk> chunks;
    chunks.clear();
    const uint32_t to = Uint32(info[2]);
    for (uint32_t i = Uint32(info[1]); i < to; i++) {
      napi_value element;
      if (napi_get_element(env, info[0], i, &element) != napi_ok) return Of(info, static_cast<int>(SealStatus::kCapacity));
      const Bytes bytes = ViewOf(env, element);
      if (bytes.length > 0) chunks.push_back({bytes.data, bytes.length});
    }
    const Bytes out = ViewOf(env, info[3]);
    size_t written;
    const SealStatus status = layer_->Seal(chunks.data(), chunks.size(), out.data, out.length, &written);
    return Of(info, status == SealStatus::kOk ? static_cast<double>(written) : static_cast<int>(status));
  }

  // sealParts(head, body, out, at) → bytes in out, from at on, or a negative SealStatus
  Napi::Value SealParts(const Napi::CallbackInfo& info) {
    const napi_env env = info.Env();
    if (layer_ == nullptr) return Of(info, static_cast<int>(SealStatus::kLimit));
    const Bytes head = ViewOf(env, info[0]);
    const Bytes body = ViewOf(env, info[1]);
    const Bytes out = ViewOf(env, info[2]);
    const size_t at = std::min<size_t>(Uint32(info[3]), out.length);
    size_t written = 0;
    const SealStatus status = layer_->SealParts({head.data, head.length}, {body.data, body.length}, out.data + at, out.length - at, &written);
    return Of(info, status == SealStatus::kOk ? static_cast<double>(written) : static_cast<int>(status));
  }

  Napi::Value Sequence(const Napi::CallbackInfo& info) { return SshWrap::Sequence(info); }
  Napi::Value Packets(const Napi::CallbackInfo& info) { return SshWrap::Packets(info); }
  Napi::Value UsedKeys(const Napi::CallbackInfo& info) { return SshWrap::UsedKeys(info); }
  void SetSequence(const Napi::CallbackInfo& info) { SshWrap::SetSequence(info); }
  void Dispose(const Napi::CallbackInfo& info) { SshWrap::Dispose(info); }
  Napi::Value Overhead(const Napi::CallbackInfo& info) { return Of(info, layer_ == nullptr ? 0 : static_cast<double>(layer_->MaxOverhead())); }
};

class SshOpenerWrap : public SshWrap<SshOpenerWrap, SshOpener> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SshOpener",
                       {InstanceMethod<&SshOpenerWrap::Open>("open"), InstanceMethod<&SshOpenerWrap::SetSequence>("setSequence"),
                        InstanceMethod<&SshOpenerWrap::Dispose>("dispose"), InstanceAccessor<&SshOpenerWrap::Sequence>("sequence"),
                        InstanceAccessor<&SshOpenerWrap::Packets>("packets"), InstanceAccessor<&SshOpenerWrap::UsedKeys>("usedKeys"),
                        InstanceAccessor<&SshOpenerWrap::Iv>("iv")});
  }

  explicit SshOpenerWrap(const Napi::CallbackInfo& info) : SshWrap(info, false) {}

 private:
  // open(in, start, end, mode, out) → status. mode: an SshOpenMode. result: consumed, payloads, bytes kept, bytes that are missing, packets
  // beyond one for each payload; offset and length of each payload are in sshPayloads
  Napi::Value Open(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (layer_ == nullptr) return Of(info, static_cast<int>(SshOpenStatus::kLimit));
    const Bytes in = ViewOf(env, info[0]);
    const size_t end = std::min<size_t>(Uint32(info[2]), in.length);
    const size_t start = std::min<size_t>(Uint32(info[1]), end);
    const SshOpenMode mode = static_cast<SshOpenMode>(Uint32(info[3]));
    const Bytes out = ViewOf(env, info[4]);
    SshPayload payloads[kMostSshPayloads];
    const SshOpenResult result = layer_->Open(in.data + start, end - start, mode, out.data, out.length, payloads, kMostSshPayloads);
    Instance* const instance = env.GetInstanceData<Instance>();
    int32_t* numbers = instance->numbers;
    *numbers++ = static_cast<int32_t>(result.consumed);
    *numbers++ = static_cast<int32_t>(result.count);
    *numbers++ = static_cast<int32_t>(layer_->stashed() + (layer_->discarding() ? 1 : 0));
    *numbers++ = static_cast<int32_t>(layer_->missing());
    *numbers++ = static_cast<int32_t>(result.joined);
    memcpy(instance->payloads, payloads, result.count * sizeof *payloads);
    return Of(info, static_cast<int>(result.status));
  }

  Napi::Value Sequence(const Napi::CallbackInfo& info) { return SshWrap::Sequence(info); }
  Napi::Value Packets(const Napi::CallbackInfo& info) { return SshWrap::Packets(info); }
  Napi::Value UsedKeys(const Napi::CallbackInfo& info) { return SshWrap::UsedKeys(info); }
  void SetSequence(const Napi::CallbackInfo& info) { SshWrap::SetSequence(info); }
  void Dispose(const Napi::CallbackInfo& info) { SshWrap::Dispose(info); }
  // of the next packet, 16 bytes of which the cipher's are the first
  Napi::Value Iv(const Napi::CallbackInfo& info) {
    if (layer_ == nullptr) return info.Env().Null();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), layer_->iv(), kMaxIv);
  }
};

}  // namespace

bool DefineSsh(Napi::Env env, Napi::Object exports, Instance* instance) {
  napi_value payloads;
  instance->payloads = NewNumbers<int32_t>(env, napi_int32_array, 2 * kMostSshPayloads, &payloads);
  if (instance->payloads == nullptr) return false;
  instance->ssh_payloads = Napi::Persistent(Napi::Value(env, payloads));
  exports.Set("sshPayloads", payloads);
  exports.Set("SshSealer", SshSealerWrap::Define(env));
  exports.Set("SshOpener", SshOpenerWrap::Define(env));
  return true;
}

}  // namespace so_crypt
