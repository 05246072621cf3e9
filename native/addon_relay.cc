// SPDX-License-Identifier: MIT
#ifdef __linux__
#include <sys/socket.h>
#include "addon.h"
#include "relay/relays.h"
namespace so_crypt {
namespace {
class RelaysWrap : public Napi::ObjectWrap<RelaysWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Relays", {InstanceMethod<&RelaysWrap::Add>("add"), InstanceMethod<&RelaysWrap::Remove>("remove")});
  }
  explicit RelaysWrap(const Napi::CallbackInfo& info) : ObjectWrap(info), callback_(Napi::Persistent(info[0].As<Napi::Function>())), context_(info.Env(), "so-crypt.relays") {
    uv_loop_t* loop; int error;
    napi_get_uv_event_loop(info.Env(), &loop);
    relays_ = Relays::Open(loop, [this](uint32_t id, News news) { OnNews(id, news); }, &error);
    Ref();
  }
  // add(id, fd, sealerSlot, openerSlot, updateAfter) -> plain fd
  Napi::Value Add(const Napi::CallbackInfo& info) {
    Instance* instance = info.Env().GetInstanceData<Instance>();
    auto* sealer = instance->sealers->At(info[2].ToNumber().Uint32Value());
    auto* opener = instance->openers->At(info[3].ToNumber().Uint32Value());
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return Result(info, -errno);
    relays_->Add(info[0].ToNumber().Uint32Value(), std::make_unique<Relay>(info[1].ToNumber().Int32Value(), pair[0], std::move(*sealer), std::move(*opener), info[4].ToNumber().Int64Value()));
    return Result(info, pair[1]);
  }
  void Remove(const Napi::CallbackInfo& info) { relays_->Remove(info[0].ToNumber().Uint32Value()); }
  void OnNews(uint32_t id, News news) {
    const Napi::Env env = Env();
    const Napi::HandleScope scope(env);
    napi_value result, error;
    napi_value args[] = {Napi::Number::New(env, id), Napi::Number::New(env, (int)news)};
    if (napi_make_callback(env, context_, Value(), callback_.Value(), 2, args, &result) != napi_pending_exception) return;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Relays* relays_;
};
}
void DefineRelays(Napi::Env env, Napi::Object exports) { exports.Set("Relays", RelaysWrap::Define(env)); }
}
#endif
