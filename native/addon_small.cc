// SPDX-License-Identifier: MIT
// What every small record calls, with as little of N-API around it as it takes: a record of a kilobyte is sealed in half a microsecond.
#include <algorithm>
#include <iterator>
#include <vector>

#include "addon.h"
#include "record/opener.h"
#include "record/sealer.h"
#include "send_now.h"

namespace so_crypt {
namespace {

napi_value NumberOf(napi_env env, int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

// open(slot, in, start, end, out, at) → status; the other numbers are in the result array
napi_value Open(napi_env env, napi_callback_info info) {
  napi_value args[6];
  size_t count = 6;
  void* data;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Instance* const instance = static_cast<Instance*>(data);
  const std::unique_ptr<Opener>* const layer = instance->openers->At(Uint32(env, args[0]));
  const Bytes out = ViewOf(env, args[4]);
  const size_t at = std::min<size_t>(Uint32(env, args[5]), out.length);
  return NumberOf(env, OpenFrames(instance, layer == nullptr ? nullptr : layer->get(), ViewOf(env, args[1]), Uint32(env, args[2]),
                               Uint32(env, args[3]), {out.data + at, out.length - at}));
}

// Copies a string's bytes to the scratch memory. False: it may be too long for that.
bool ReadText(napi_env env, napi_value value, bool is_utf8, SmallWrites* memory, Chunk* chunk) {
  // N-API cuts what is too long and puts a 0 behind it.
  char* const out = reinterpret_cast<char*>(memory->text);
  const auto read = is_utf8 ? napi_get_value_string_utf8 : napi_get_value_string_latin1;
  size_t length = 0;
  if (read(env, value, out, sizeof memory->text, &length) != napi_ok || length > SmallWrites::kMostText) return false;
  *chunk = {memory->text, length};
  return true;
}

// sendSmall(slot, fd, head, isUtf8, body) → bytes of the records, or a negative SealStatus
napi_value SendSmall(napi_env env, napi_callback_info info) {
  napi_value args[5];
  size_t count = 5;
  void* data;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Instance* const instance = static_cast<Instance*>(data);
  const std::unique_ptr<Sealer>* const layer = instance->sealers->At(Uint32(env, args[0]));
  if (layer == nullptr || *layer == nullptr) return NumberOf(env, static_cast<int32_t>(SealStatus::kLimit));
  int32_t fd = -1;
  napi_get_value_int32(env, args[1], &fd);
  if (instance->small == nullptr) instance->small = std::make_unique<SmallWrites>();
  SmallWrites* const memory = instance->small.get();
  Chunk chunks[2];
  napi_valuetype type = napi_undefined;
  napi_typeof(env, args[2], &type);
  if (type == napi_string) {
    bool is_utf8 = false;
    napi_get_value_bool(env, args[3], &is_utf8);
    if (!ReadText(env, args[2], is_utf8, memory, &chunks[0])) return NumberOf(env, static_cast<int32_t>(SealStatus::kCapacity));
  } else {
    const Bytes head = ViewOf(env, args[2]);
    chunks[0] = {head.data, head.length};
  }
  const Bytes body = ViewOf(env, args[4]);
  chunks[1] = {body.data, body.length};
  const size_t plain = chunks[0].length + chunks[1].length;
  size_t written = 0;
  const SealStatus status = (*layer)->Seal(kApplicationData, chunks, body.length > 0 ? 2 : 1, memory->sealed, sizeof memory->sealed, &written);
  if (status != SealStatus::kOk) return NumberOf(env, static_cast<int32_t>(status));
  memory->length = written;
  instance->numbers[0] = static_cast<int32_t>(SendNow(fd, memory->sealed, written, false));
  instance->numbers[1] = static_cast<int32_t>(plain);
  return NumberOf(env, static_cast<int32_t>(written));
}

// seal(slot, type, chunks, out, fd, more) → as Sealer.seal()
napi_value Seal(napi_env env, napi_callback_info info) {
  napi_value args[6];
  size_t count = 6;
  void* data;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Instance* const instance = static_cast<Instance*>(data);
  const std::unique_ptr<Sealer>* const layer = instance->sealers->At(Uint32(env, args[0]));
  return NumberOf(env, SealFrames(env, instance, layer == nullptr ? nullptr : layer->get(), args + 1));
}

// send(fd, bytes, length, more) → the first so many bytes of them that the socket has taken, or -errno
napi_value Send(napi_env env, napi_callback_info info) {
  napi_value args[4];
  size_t count = 4;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  int32_t fd = -1;
  napi_get_value_int32(env, args[0], &fd);
  const Bytes bytes = ViewOf(env, args[1]);
  const size_t length = std::min<size_t>(Uint32(env, args[2]), bytes.length);
  return NumberOf(env, static_cast<int32_t>(SendNow(fd, bytes.data, length, Bool(env, args[3]))));
}

// disown(sealer's slot, opener's slot): wipes and forgets what a handshake has made; a number that is not its own is left alone
napi_value Disown(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t count = 2;
  void* data;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  Instance* const instance = static_cast<Instance*>(data);
  uint32_t slot;
  if (napi_get_value_uint32(env, args[0], &slot) == napi_ok) instance->sealers->Disown(slot);
  if (napi_get_value_uint32(env, args[1], &slot) == napi_ok) instance->openers->Disown(slot);
  return nullptr;
}

// takeSealed(from) → a copy of what sendSmall has sealed, from there on
napi_value TakeSealed(napi_env env, napi_callback_info info) {
  napi_value args[1];
  size_t count = 1;
  void* data;
  napi_get_cb_info(env, info, &count, args, nullptr, &data);
  const SmallWrites* const memory = static_cast<Instance*>(data)->small.get();
  const size_t length = memory == nullptr ? 0 : memory->length;
  const size_t from = std::min<size_t>(Uint32(env, args[0]), length);
  napi_value copy = nullptr;
  napi_create_buffer_copy(env, length - from, memory == nullptr ? nullptr : memory->sealed + from, nullptr, &copy);
  return copy;
}

}  // namespace

int32_t SealFrames(napi_env env, Instance* instance, Sealer* layer, const napi_value args[5]) {
  static thread_local std::vector<Chunk> chunks;
  if (layer == nullptr) return static_cast<int32_t>(SealStatus::kLimit);
  const uint8_t type = static_cast<uint8_t>(Uint32(env, args[0]));
  const Bytes out = ViewOf(env, args[2]);
  int32_t fd = -1;
  napi_get_value_int32(env, args[3], &fd);
  bool more = false;
  napi_get_value_bool(env, args[4], &more);
  chunks.clear();
  bool is_list = false;
  napi_is_array(env, args[1], &is_list);
  uint32_t count = 0;
  if (is_list) napi_get_array_length(env, args[1], &count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    // This thread is being terminated.
    if (napi_get_element(env, args[1], i, &element) != napi_ok) return static_cast<int32_t>(SealStatus::kCapacity);
    const Bytes bytes = ViewOf(env, element);
    chunks.push_back({bytes.data, bytes.length});
  }
  if (!is_list) {
    const Bytes bytes = ViewOf(env, args[1]);
    chunks.push_back({bytes.data, bytes.length});
  }
  size_t written;
  const SealStatus status = layer->Seal(type, chunks.data(), chunks.size(), out.data, out.length, &written);
  if (status != SealStatus::kOk) return static_cast<int32_t>(status);
  if (fd >= 0) instance->numbers[0] = static_cast<int32_t>(SendNow(fd, out.data, written, more));
  return static_cast<int32_t>(written);
}

int32_t OpenFrames(Instance* instance, Opener* layer, Bytes in, uint32_t start, uint32_t end, Bytes out) {
  if (layer == nullptr) return static_cast<int32_t>(OpenStatus::kLimit);
  const size_t to = std::min<size_t>(end, in.length);
  const size_t from = std::min<size_t>(start, to);
  const OpenResult result = layer->Open(in.data + from, to - from, out.data, out.length);
  int32_t* const numbers = instance->numbers;
  numbers[0] = static_cast<int32_t>(result.consumed);
  numbers[1] = static_cast<int32_t>(result.produced);
  numbers[2] = result.type;
  numbers[3] = static_cast<int32_t>(result.control_length);
  numbers[4] = static_cast<int32_t>(layer->stashed());
  return static_cast<int32_t>(result.status);
}

void DefineSmall(napi_env env, napi_value exports, Instance* instance) {
  const napi_property_descriptor functions[] = {
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, instance},
      {"seal", nullptr, Seal, nullptr, nullptr, nullptr, napi_enumerable, instance},
      {"disown", nullptr, Disown, nullptr, nullptr, nullptr, napi_enumerable, instance},
      {"sendSmall", nullptr, SendSmall, nullptr, nullptr, nullptr, napi_enumerable, instance},
      {"send", nullptr, Send, nullptr, nullptr, nullptr, napi_enumerable, instance},
      {"takeSealed", nullptr, TakeSealed, nullptr, nullptr, nullptr, napi_enumerable, instance},
  };
  napi_define_properties(env, exports, std::size(functions), functions);
}

}  // namespace so_crypt
