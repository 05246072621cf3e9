// SPDX-License-Identifier: MIT
// Calls a function of JavaScript in its event loop when a thread asks for it: what a threadsafe function of Node-API is for, without its mutex.
// Who asks wakes the event loop with the mutex held; if that takes the processor away from it, as from a thread of low priority it does, the
// event loop has to wait until it gets the processor again.
#pragma once
#include <napi.h>
#include <uv.h>

#include <initializer_list>

namespace so_crypt {

// napi_make_callback(). What the function throws is an uncaught exception, as it is with Node's own handles. (MakeCallback() of node-addon-api
// ends the process when the thread is being terminated.) The caller has a scope for the arguments.
inline void CallBack(Napi::Env env, napi_async_context context, const Napi::Object& self, const Napi::FunctionReference& function,
                     const std::initializer_list<napi_value>& args) {
  napi_value result, error;
  if (napi_make_callback(env, context, self, function.Value(), args.size(), args.begin(), &result) != napi_pending_exception) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

inline void CallBack(Napi::Env env, napi_async_context context, const Napi::FunctionReference& function) {
  const Napi::HandleScope scope(env);
  CallBack(env, context, env.Global(), function, {});
}

class AsyncCall {
 public:
  // Null: this environment has no event loop. It does not keep the event loop running.
  static AsyncCall* Open(Napi::Env env, Napi::Function function, const char* name) {
    uv_loop_t* loop;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
    AsyncCall* const self = new AsyncCall(env, function, name);
    if (uv_async_init(loop, &self->async_, OnAsync) != 0) {
      delete self;
      return nullptr;
    }
    self->async_.data = self;
    self->SetRef(false);
    // An environment that ends waits until the event loop has let go of it.
    napi_add_async_cleanup_hook(env, OnCleanup, self, &self->cleanup_);
    return self;
  }

  // From any thread, until Close().
  void Ask() { uv_async_send(&async_); }

  void SetRef(bool on) {
    if (on) uv_ref(Handle());
    else uv_unref(Handle());
  }

  // Nobody asks any more, and nothing is called any more. It destroys itself.
  void Close() {
    if (uv_is_closing(Handle())) return;
    uv_close(Handle(), [](uv_handle_t* handle) {
      AsyncCall* const self = static_cast<AsyncCall*>(handle->data);
      const napi_async_cleanup_hook_handle cleanup = self->cleanup_;
      delete self;
      // Last: until then there is an environment.
      if (cleanup != nullptr) napi_remove_async_cleanup_hook(cleanup);
    });
  }

 private:
  AsyncCall(Napi::Env env, Napi::Function function, const char* name)
      : env_(env), function_(Napi::Persistent(function)), context_(env, name) {}
  ~AsyncCall() = default;

  uv_handle_t* Handle() { return reinterpret_cast<uv_handle_t*>(&async_); }

  static void OnAsync(uv_async_t* async) {
    AsyncCall* const self = static_cast<AsyncCall*>(async->data);
    CallBack(self->env_, self->context_, self->function_);
  }

  static void OnCleanup(napi_async_cleanup_hook_handle, void* self) { static_cast<AsyncCall*>(self)->Close(); }

  const Napi::Env env_;
  Napi::FunctionReference function_;
  const Napi::AsyncContext context_;
  uv_async_t async_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

}  // namespace so_crypt
