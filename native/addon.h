// SPDX-License-Identifier: MIT
// What the addon's files share: arguments from JavaScript. Only the files addon*.cc know N-API.
#pragma once
#include <napi.h>

#include <cstring>
#include <memory>
#include <vector>

#include "arguments.h"
#include "providers/provider.h"
#include "record/fingerprint.h"
#include "record/frame_layout.h"
#include "record/key_schedule.h"
#include "record/opener.h"
#include "record/sealer.h"
#include "slots.h"

namespace so_crypt {

// Key and IV of a DirectionSpec (lib/native.ts): given, or derived from the traffic secret. It wipes itself.
struct KeyMaterial {
  uint8_t key[kMaxKey] = {};
  uint8_t iv[kMaxIv] = {};
  TrafficSecret secret;

  KeyMaterial() = default;
  KeyMaterial(const KeyMaterial&) = delete;
  KeyMaterial& operator=(const KeyMaterial&) = delete;
  ~KeyMaterial() {
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(iv, sizeof iv);
  }

  // From the traffic secret alone. False: there is none.
  bool Derive(const Bytes& given_secret, size_t key_length, size_t iv_length) {
    secret.Set(given_secret.data, given_secret.length);
    if (secret.empty()) return false;
    secret.Expand("key", key, key_length);
    secret.Expand("iv", iv, iv_length);
    return true;
  }

  // An error message, or null: all properties that were asked for so far have been read.
  const char* Read(const Properties& spec, size_t key_length, size_t iv_length) {
    const Napi::Env env = spec.Env();
    if (key_length > sizeof key) return "wrong key length";
    const Bytes given_secret = ViewOf(env, spec.Get("secret"));
    const Bytes given_key = ViewOf(env, spec.Get("key"));
    const Bytes given_iv = ViewOf(env, spec.Get("iv"));
    if (given_key.length == 0 && Derive(given_secret, key_length, iv_length)) return spec.failed() ? kUnreadable : nullptr;
    secret.Set(given_secret.data, given_secret.length);
    if (given_key.length != key_length) return "wrong key length";
    if (given_iv.length != iv_length || iv_length > kMaxIv) return "wrong IV length";
    memcpy(key, given_key.data, key_length);
    memcpy(iv, given_iv.data, iv_length);
    return spec.failed() ? kUnreadable : nullptr;
  }
};

// addon.cc: the layout's numbers in the order of lib/native.ts's packLayout(), and the header behind them. False: that it is not.
bool ReadLayout(napi_env env, napi_value packed, FrameLayout* layout);

// Memory of sendSmall: a head that is a string, and the records.
struct SmallWrites {
  static constexpr size_t kMostText = 16'384;
  uint8_t text[kMostText + 8];  // a character more than that, and what N-API puts behind it
  uint8_t sealed[20'480];
  size_t length = 0;
};

// State of one JavaScript environment (main thread or worker): what opening answers besides a status, see lib/native.ts.
struct Instance {
  // Shared with those that are in them, which may live longer.
  const std::shared_ptr<Slots<std::unique_ptr<Sealer>>> sealers = std::make_shared<Slots<std::unique_ptr<Sealer>>>();
  const std::shared_ptr<Slots<std::unique_ptr<Opener>>> openers = std::make_shared<Slots<std::unique_ptr<Opener>>>();
  std::unique_ptr<SmallWrites> small;
  // Arrays of JavaScript's, which must be there as long as this is.
  Napi::Reference<Napi::Value> result, ssh_payloads;
  int32_t* numbers = nullptr;
  int32_t* payloads = nullptr;
};

// addon.cc: the cipher of the provider that the spec names. max_length: the most that it will be given at once. Null: it has no such cipher.
std::unique_ptr<Cipher> NewCipher(const Properties& spec, const CipherInfo& info, size_t max_length, const uint8_t* key, bool encrypt);

// Numbers that C++ writes and JavaScript reads. Null: there is no memory for them, or this thread is being terminated.
template <typename T>
T* NewNumbers(napi_env env, napi_typedarray_type type, size_t count, napi_value* array) {
  void* memory;
  napi_value buffer;
  if (napi_create_arraybuffer(env, count * sizeof(T), &memory, &buffer) != napi_ok) return nullptr;
  return napi_create_typedarray(env, type, count, buffer, 0, array) == napi_ok ? static_cast<T*>(memory) : nullptr;
}

// All fingerprints, one behind the other, in a Buffer.
inline Napi::Value FingerprintsOf(Napi::Env env, const std::vector<Fingerprint>& used) {
  return Napi::Buffer<uint8_t>::Copy(env, used.empty() ? nullptr : used.front().data(), used.size() * sizeof(Fingerprint));
}

// Payloads that one call tells.
constexpr size_t kMostSshPayloads = 1024;

// The content type of application data in TLS, and what layouts without types are given.
constexpr uint8_t kApplicationData = 23;

// addon_small.cc: opens in[start…end) into out; an OpenStatus, and the numbers besides it are where lib/native.ts finds them. No layer: kLimit.
int32_t OpenFrames(Instance* instance, Opener* layer, Bytes in, uint32_t start, uint32_t end, Bytes out);

// addon_small.cc: lib/native.ts: Sealer.seal(), whose arguments they are; its result. No layer: kLimit.
int32_t SealFrames(napi_env env, Instance* instance, Sealer* layer, const napi_value args[5]);

// addon_small.cc: what every small record calls.
void DefineSmall(napi_env env, napi_value exports, Instance* instance);

// addon_ssh.cc: SshSealer and SshOpener. False: there is no memory for what they write to.
bool DefineSsh(Napi::Env env, Napi::Object exports, Instance* instance);

// The kernel engines' functions take a descriptor first, and return a count, or -errno.
inline int Fd(const Napi::CallbackInfo& info) { return Int32(info[0], -1); }

inline Napi::Value Result(const Napi::CallbackInfo& info, ssize_t result) {
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

// addon_kernel.cc: the kernel engines, on Linux and OpenBSD; addon_linux.cc: what only Linux has.
Napi::Object DefineKernel(Napi::Env env);
void DefineLinuxKernel(Napi::Env env, Napi::Object kernel);

// addon_handshake.cc: handshakes in threads, on Linux.
void DefineHandshakes(Napi::Env env, Napi::Object exports);

// addon_relay.cc: relays, on Linux.
void DefineRelays(Napi::Env env, Napi::Object exports);

}  // namespace so_crypt
