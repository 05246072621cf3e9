// SPDX-License-Identifier: MIT
// Relays for lib/native.ts; Linux only.
#ifdef __linux__
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>

#include "addon.h"
#include "async_call.h"
#include "relay/relays.h"

namespace so_crypt {
namespace {

// new Relays(callback): those of the environment's event loop
class RelaysWrap : public Napi::ObjectWrap<RelaysWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Relays",
                       {InstanceMethod<&RelaysWrap::Start>("start"), InstanceMethod<&RelaysWrap::Add>("add"),
                        InstanceMethod<&RelaysWrap::Feed>("feed"), InstanceMethod<&RelaysWrap::ReadOn>("readOn"),
                        InstanceMethod<&RelaysWrap::EndReading>("endReading"), InstanceMethod<&RelaysWrap::Send>("send"),
                        InstanceMethod<&RelaysWrap::Wake>("wake"), InstanceMethod<&RelaysWrap::Counters>("counters"),
                        InstanceMethod<&RelaysWrap::Remove>("remove"), InstanceMethod<&RelaysWrap::Drain>("drain"),
                        InstanceMethod<&RelaysWrap::SetRef>("setRef")});
  }

  explicit RelaysWrap(const Napi::CallbackInfo& info)
      : ObjectWrap(info), callback_(Napi::Persistent(info[0].As<Napi::Function>())), context_(info.Env(), "so-crypt.relays") {}

 private:
  // What JavaScript must not let go of as long as a relay uses it.
  struct Directions {
    Napi::ObjectReference sealer, opener;
  };

  static uint32_t Id(const Napi::CallbackInfo& info) { return Uint32(info.Env(), info[0]); }
  Relay* Find(const Napi::CallbackInfo& info) const { return relays_ == nullptr ? nullptr : relays_->Find(Id(info)); }

  // start() → 0 or -errno
  Napi::Value Start(const Napi::CallbackInfo& info) {
    uv_loop_t* loop;
    int error = -EINVAL;
    if (cleanup_ == nullptr && napi_get_uv_event_loop(info.Env(), &loop) == napi_ok)
      relays_ = Relays::Open(loop, [this](uint32_t id, Relay* relay, News news) { OnNews(id, relay, news); }, &error);
    if (relays_ == nullptr) return Result(info, error);
    Ref();  // until it is closed
    napi_add_async_cleanup_hook(info.Env(), OnCleanup, this, &cleanup_);
    return Result(info, 0);
  }

  // add(id, fd, sealer, opener, keyDue) → the descriptor of the plain side, which is the caller's, or -errno
  Napi::Value Add(const Napi::CallbackInfo& info) {
    Instance* const instance = info.Env().GetInstanceData<Instance>();
    const Napi::Object sealer_object = info[2].As<Napi::Object>(), opener_object = info[3].As<Napi::Object>();
    const Properties sealer_properties(sealer_object), opener_properties(opener_object);
    const std::unique_ptr<Sealer>* const sealer = instance->sealers->At(Uint32(sealer_properties.Get("slot")));
    const std::unique_ptr<Opener>* const opener = instance->openers->At(Uint32(opener_properties.Get("slot")));
    if (sealer_properties.failed() || opener_properties.failed()) return Result(info, -EINVAL);
    if (relays_ == nullptr || sealer == nullptr || opener == nullptr) return Result(info, -EINVAL);
    int pair[2];
    const int wire = fcntl(Int32(info[1], -1), F_DUPFD_CLOEXEC, 0);
    if (wire < 0) return Result(info, -errno);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
      const int error = -errno;
      close(wire);
      return Result(info, error);
    }
    // Node makes blocking what it takes for standard output, if a program has closed that.
    if (pair[1] <= STDERR_FILENO) {
      for (const int fd : {wire, pair[0], pair[1]}) close(fd);
      return Result(info, -EMFILE);
    }
    const uint64_t key_due = static_cast<uint64_t>(Int64(info[4]));
    const int error = relays_->Add(Id(info), std::make_unique<Relay>(wire, pair[0], sealer, opener, key_due));
    if (error != 0) {
      close(pair[1]);
      return Result(info, error);
    }
    directions_[Id(info)] = {Napi::Persistent(sealer_object), Napi::Persistent(opener_object)};
    return Result(info, pair[1]);
  }

  // feed(id, bytes)
  void Feed(const Napi::CallbackInfo& info) {
    Relay* const relay = Find(info);
    if (relay == nullptr) return;
    const Bytes bytes = ViewOf(info.Env(), info[1]);
    relay->Feed(bytes.data, bytes.length);
    relays_->Wake(Id(info));
  }

  // readOn(id, noData)
  void ReadOn(const Napi::CallbackInfo& info) {
    Relay* const relay = Find(info);
    if (relay == nullptr) return;
    relay->ReadOn(Bool(info[1]));
    relays_->Wake(Id(info));
  }

  // endReading(id)
  void EndReading(const Napi::CallbackInfo& info) {
    Relay* const relay = Find(info);
    if (relay == nullptr) return;
    relay->EndReading();
    relays_->Wake(Id(info));
  }

  // send(id, records) → false: kFlushed tells when all of it is sent
  Napi::Value Send(const Napi::CallbackInfo& info) {
    Relay* const relay = Find(info);
    if (relay == nullptr) return Napi::Boolean::New(info.Env(), false);
    const Bytes records = ViewOf(info.Env(), info[1]);
    const bool is_sent = relay->Send(records.data, records.length);
    relays_->Wake(Id(info));
    return Napi::Boolean::New(info.Env(), is_sent);
  }

  // wake(id)
  void Wake(const Napi::CallbackInfo& info) {
    if (relays_ != nullptr) relays_->Wake(Id(info));
  }

  // counters(id, out): plain bytes read and written, and milliseconds since any have passed
  void Counters(const Napi::CallbackInfo& info) {
    const Relay* const relay = Find(info);
    const Napi::Float64Array out = info[1].As<Napi::Float64Array>();
    if (relay == nullptr || out.ElementLength() < 3) return;
    double* const numbers = const_cast<Napi::Float64Array&>(out).Data();
    numbers[0] = static_cast<double>(relay->bytes_read());
    numbers[1] = static_cast<double>(relay->bytes_written());
    numbers[2] = static_cast<double>(relays_->IdleTime(Id(info)));
  }

  // remove(id)
  void Remove(const Napi::CallbackInfo& info) {
    if (relays_ == nullptr) return;
    relays_->Remove(Id(info));
    directions_.erase(Id(info));
  }

  // drain(): sends of all relays what goes without waiting
  void Drain(const Napi::CallbackInfo&) {
    if (relays_ != nullptr) relays_->Drain();
  }

  void SetRef(const Napi::CallbackInfo& info) {
    if (relays_ != nullptr) relays_->SetRef(Bool(info[0]));
  }

  // callback(id, news, number, content, hasData); content is that of a control record, whose type is the number
  void OnNews(uint32_t id, Relay* relay, News news) {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    const bool is_control = news == News::kControl;
    const std::vector<uint8_t>& content = relay->content();
    CallBack(env, context_, Value(), callback_,
             {
                 Napi::Number::New(env, id),
                 Napi::Number::New(env, static_cast<int>(news)),
                 Napi::Number::New(env, is_control ? relay->type() : relay->number()),
                 is_control ? Napi::Value(Napi::Buffer<uint8_t>::Copy(env, content.data(), content.size())) : env.Undefined(),
                 Napi::Boolean::New(env, relay->TakeHasData()),
             });
  }

  // The environment ends: the event loop must be let go of before. (Hooks run in reverse order, so the directions are still there.)
  static void OnCleanup(napi_async_cleanup_hook_handle, void* data) {
    RelaysWrap* const self = static_cast<RelaysWrap*>(data);
    Relays* const relays = std::exchange(self->relays_, nullptr);
    self->directions_.clear();
    if (relays != nullptr) relays->Close([self] { napi_remove_async_cleanup_hook(self->cleanup_); });
  }

  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Relays* relays_ = nullptr;
  std::unordered_map<uint32_t, Directions> directions_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

}  // namespace

void DefineRelays(Napi::Env env, Napi::Object exports) { exports.Set("Relays", RelaysWrap::Define(env)); }

}  // namespace so_crypt
#endif
