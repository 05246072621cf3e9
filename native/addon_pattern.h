// SPDX-License-Identifier: MIT
// What directions have in common, for addon.cc: whether a layout is sound, and patterns.
#pragma once
#include "addon.h"
#include "record/derive.h"

namespace so_crypt {

// lib/ has validated all of this; what is checked again is what memory safety hangs on.
inline bool IsSound(const FrameLayout& l, const CipherInfo& cipher, size_t hmac_length) {
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

// What all connections of a suite have in common whose keys follow from a traffic secret, and evp does the cipher.
struct Pattern {
  const CipherInfo* cipher;
  FrameLayout layout;
  uint64_t limit;
  size_t max_fragment;       // of sealing
  uint8_t application_type;  // of opening
};

// new DirectionPattern(spec)
class PatternWrap : public Napi::ObjectWrap<PatternWrap> {
 public:
  static Napi::Function Define(Napi::Env env) { return DefineClass(env, "DirectionPattern", {}); }

  explicit PatternWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Env env = info.Env();
    const Properties spec(info[0]);
    Pattern pattern = {};
    pattern.cipher = FindCipher(Text(spec.Get("cipher")).c_str());
    const bool has_layout = ReadLayout(env, spec.Get("layout"), &pattern.layout);
    // Those that a direction does not have are 0.
    pattern.limit = static_cast<uint64_t>(Int64(spec.Get("limit")));
    pattern.max_fragment = Uint32(spec.Get("maxFragment"));
    pattern.application_type = static_cast<uint8_t>(Uint32(spec.Get("applicationType")));
    if (spec.failed() || pattern.cipher == nullptr || !has_layout || pattern.layout.fixed_iv > kMaxIv ||
        pattern.cipher->key_length > kMaxKey || !IsSound(pattern.layout, *pattern.cipher, 0)) {
      Napi::TypeError::New(env, "wrong pattern").ThrowAsJavaScriptException();
      return;
    }
    pattern_ = pattern;
  }

  const Pattern& pattern() const { return pattern_; }

 private:
  Pattern pattern_ = {};
};

// The same as ReadSpec, for (pattern, secret, sequence).
inline const char* ReadPattern(const Napi::CallbackInfo& info, bool encrypt, DirectionInit* init, const Pattern** pattern) {
  static const Pattern none = {};
  PatternWrap* const wrap = PatternWrap::Unwrap(info[0].As<Napi::Object>());
  *pattern = wrap == nullptr ? &none : &wrap->pattern();
  if ((*pattern)->cipher == nullptr) return "no pattern";
  const Bytes given = ViewOf(info.Env(), info[1]);
  TrafficSecret secret;
  secret.Set(given.data, given.length);
  if (secret.empty()) return "wrong secret length";
  init->layout = (*pattern)->layout;
  init->limit = (*pattern)->limit;
  if (!DeriveDirection(secret, *(*pattern)->cipher, encrypt, init)) return "no such cipher";
  if (!BigUint64(info[2], &init->sequence)) return "no sequence";
  init->explicit_counter = init->sequence;
  return nullptr;
}

}  // namespace so_crypt
