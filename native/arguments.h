// SPDX-License-Identifier: MIT
// What comes from JavaScript. What is missing, or something else, is 0, false or empty: nothing here converts or throws. In a thread that is
// being terminated all that may run JavaScript fails, as the conversions of node-addon-api do (ToNumber(), ToString(), …), whose results then
// have no environment: to look at one ends the process. (And to convert a number takes as long as opening a small record.)
#pragma once
#include <napi.h>

#include <string>

namespace so_crypt {

inline uint32_t Uint32(napi_env env, napi_value value) {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

inline uint32_t Uint32(const Napi::Value& value) { return Uint32(value.Env(), value); }

inline int32_t Int32(const Napi::Value& value, int32_t otherwise = 0) {
  napi_get_value_int32(value.Env(), value, &otherwise);
  return otherwise;
}

inline int64_t Int64(const Napi::Value& value) {
  int64_t number = 0;
  napi_get_value_int64(value.Env(), value, &number);
  return number;
}

// False: it is none.
inline bool BigUint64(const Napi::Value& value, uint64_t* number) {
  bool lossless;
  return napi_get_value_bigint_uint64(value.Env(), value, number, &lossless) == napi_ok;
}

inline bool Bool(napi_env env, napi_value value) {
  bool is_true = false;
  napi_get_value_bool(env, value, &is_true);
  return is_true;
}

inline bool Bool(const Napi::Value& value) { return Bool(value.Env(), value); }

inline std::string Text(const Napi::Value& value) {
  size_t length;
  if (napi_get_value_string_utf8(value.Env(), value, nullptr, 0, &length) != napi_ok) return {};
  std::string text(length, 0);
  napi_get_value_string_utf8(value.Env(), value, text.data(), length + 1, &length);
  return text;
}

// Those of an object, or the elements of a list.
class Properties {
 public:
  explicit Properties(const Napi::Value& of) : of_(of) {}

  Napi::Env Env() const { return of_.Env(); }

  Napi::Value Get(const char* name) const {
    napi_value value;
    const napi_status status = napi_get_named_property(Env(), of_, name, &value);
    return Got(status, value);
  }

  Napi::Value Get(uint32_t index) const {
    napi_value value;
    const napi_status status = napi_get_element(Env(), of_, index, &value);
    return Got(status, value);
  }

  // A sequence number, which must be there: as 0 it would be one that was used already.
  uint64_t Sequence(const char* name) const {
    uint64_t number = 0;
    if (!BigUint64(Get(name), &number)) failed_ = true;
    return number;
  }

  // One could not be read: what has been read must not be used.
  bool failed() const { return failed_; }

 private:
  Napi::Value Got(napi_status status, napi_value value) const {
    if (status != napi_ok) failed_ = true;
    return {Env(), status == napi_ok ? value : nullptr};
  }

  const Napi::Value of_;
  mutable bool failed_ = false;
};

// A view of a Uint8Array. Never null with a length of 0, so that memcpy and EVP may have it.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

inline Bytes ViewOf(napi_env env, napi_value value) {
  static uint8_t nothing;
  Bytes bytes;
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &bytes.length, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array)
    return {&nothing, 0};
  bytes.data = bytes.length == 0 ? &nothing : static_cast<uint8_t*>(data);
  return bytes;
}

constexpr char kUnreadable[] = "a property can't be read";

}  // namespace so_crypt
