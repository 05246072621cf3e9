// SPDX-License-Identifier: MIT
// Handshakes without JavaScript, for lib/handshake-workers/native-threads.ts.
#ifdef __linux__
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "addon.h"
#include "async_call.h"
#include "handshake/here.h"
#include "handshake/threads.h"

namespace so_crypt {
namespace {

// new HandshakeContext(make, protocols, suites): make() makes one SecureContext of Node's, which its owner must keep as long as there are
// handshakes with it; suites are [number, cipher, layout, limit (0: outcomes are secrets)]
class ContextWrap : public Napi::ObjectWrap<ContextWrap> {
 public:
  static Napi::Function Define(Napi::Env env) { return DefineClass(env, "HandshakeContext", {}); }

  explicit ContextWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Env env = info.Env();
    SSL_CTX* context;
    {
      const NewSslContext made;
      if (napi_call_function(env, env.Undefined(), info[0], 0, nullptr, nullptr) != napi_ok) return;
      context = made.get();
    }
    if (context == nullptr || !info[2].IsArray()) {
      Napi::TypeError::New(env, "no secure context").ThrowAsJavaScriptException();
      return;
    }
    const Bytes protocols = ViewOf(env, info[1]);
    std::vector<Suite13> suites;
    const Properties list(info[2]);
    for (uint32_t i = 0, length = info[2].As<Napi::Array>().Length(); i < length; i++) {
      const Properties one(list.Get(i));
      Suite13 suite = {};
      suite.id = static_cast<uint16_t>(Uint32(one.Get(0u)));
      suite.cipher = FindCipher(Text(one.Get(1u)).c_str());
      const bool has_layout = ReadLayout(env, one.Get(2u), &suite.layout);
      suite.limit = static_cast<uint64_t>(Int64(one.Get(3u)));
      if (list.failed() || one.failed() || suite.cipher == nullptr || !has_layout || suite.layout.fixed_iv > kMaxIv) {
        Napi::TypeError::New(env, "wrong cipher suite").ThrowAsJavaScriptException();
        return;
      }
      suites.push_back(suite);
    }
    context_ = std::make_shared<TlsContext>(context, std::vector<uint8_t>(protocols.data, protocols.data + protocols.length),
                                            std::move(suites));
  }

  const std::shared_ptr<TlsContext>& context() const { return context_; }

 private:
  std::shared_ptr<TlsContext> context_;
};

// Descriptors on their way to JavaScript, in the Buffer that it has got: an entry is a descriptor and 1, or 0, which JavaScript writes when it
// has a handle for it. Should its thread be terminated before, the descriptor is still to be closed.
class Given {
 public:
  void Set(Napi::Env env, napi_value buffer, uint32_t* entries, size_t count) {
    Close();
    if (count == 0) return;
    buffer_ = Napi::Persistent(Napi::Value(env, buffer));
    entries_ = entries;
    count_ = count;
  }

  // Closes those that JavaScript has not taken.
  void Close() {
    for (size_t i = 0; i < count_; i++)
      if (const uint32_t entry = std::exchange(entries_[i], 0)) close(static_cast<int>(entry) - 1);
    count_ = 0;
    buffer_.Reset();
  }

 private:
  Napi::Reference<Napi::Value> buffer_;
  uint32_t* entries_ = nullptr;
  size_t count_ = 0;
};

// What was told, one behind the other (native-events.ts), with the descriptors of connections ahead. Directions are owned by the number that
// goes to JavaScript. Undefined: this thread is being terminated, and all that was told is gone.
template <typename T>
Napi::Value TakeFrom(const Napi::CallbackInfo& info, T* from, Given* given) {
  const Napi::Env env = info.Env();
  std::vector<Told> all;
  if (from != nullptr) all = from->Take();
  const size_t count =
      static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const Told& told) { return static_cast<bool>(told.connection); }));
  ByteWriter bytes;
  bytes.U32(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; i++) bytes.U32(0);
  Instance* const instance = env.GetInstanceData<Instance>();
  for (Told& told : all) {
    bytes.U8(static_cast<uint8_t>(told.event));
    bytes.U8(told.connection ? 1 : 0);
    bytes.U32(told.id);
    if (told.event == Event::kDone) {
      bytes.U8(told.sealer == nullptr ? 0 : 1);
      if (told.sealer != nullptr) {
        bytes.U32(instance->sealers->Own(std::move(told.sealer)));
        bytes.U32(instance->openers->Own(std::move(told.opener)));
      }
    }
    bytes.Append(told.rest);
  }
  napi_value buffer;
  void* data;
  if (napi_create_buffer_copy(env, bytes.bytes().size(), bytes.bytes().data(), &data, &buffer) != napi_ok) return env.Undefined();
  uint32_t* const entries = static_cast<uint32_t*>(data) + 1;
  size_t i = 0;
  for (Told& told : all)
    if (told.connection) entries[i++] = static_cast<uint32_t>(told.connection.Release()) + 1;
  given->Set(env, buffer, entries, count);
  return {env, buffer};
}

// Threads must have ended when OpenSSL or an environment does.
struct Running {
  std::mutex mutex;
  std::set<HandshakeThreads*> all;

  static Running& Instance() {
    static Running* const running = [] {
      std::atexit([] {
        Running& self = Instance();
        const std::lock_guard<std::mutex> lock(self.mutex);
        for (HandshakeThreads* threads : self.all) threads->Stop();
        self.all.clear();
      });
      return new Running();  // never destroyed: threads of other environments may be about to end
    }();
    return *running;
  }
  void Add(HandshakeThreads* threads) {
    const std::lock_guard<std::mutex> lock(mutex);
    all.insert(threads);
  }
  void Stop(HandshakeThreads* threads) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (all.erase(threads) > 0) threads->Stop();
  }
};

// new HandshakeThreads(threads, mostInFlight, niceness, timeout, callback): callback is called when there is something to take
class ThreadsWrap : public Napi::ObjectWrap<ThreadsWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "HandshakeThreads",
                       {InstanceMethod<&ThreadsWrap::Start>("start"), InstanceMethod<&ThreadsWrap::Submit>("submit"),
                        InstanceMethod<&ThreadsWrap::Abort>("abort"), InstanceMethod<&ThreadsWrap::Listen>("listen"),
                        InstanceMethod<&ThreadsWrap::Unlisten>("unlisten"), InstanceAccessor<&ThreadsWrap::Accepted>("accepted"),
                        InstanceMethod<&ThreadsWrap::Take>("take"), InstanceMethod<&ThreadsWrap::CloseGiven>("closeGiven"),
                        InstanceMethod<&ThreadsWrap::SetRef>("setRef"), InstanceMethod<&ThreadsWrap::Stop>("stop")});
  }

  explicit ThreadsWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Env env = info.Env();
    ThreadOptions options = {};
    options.threads = Uint32(info[0]);
    options.each.most_in_flight = Uint32(info[1]);
    options.niceness = Int32(info[2]);
    options.each.timeout = std::chrono::milliseconds(Int64(info[3]));
    notice_ = AsyncCall::Open(env, info[4].As<Napi::Function>(), "so-crypt.handshakes");
    if (notice_ == nullptr) {
      Napi::TypeError::New(env, "no event loop").ThrowAsJavaScriptException();
      return;
    }
    threads_ = std::make_unique<HandshakeThreads>(options, [notice = notice_] { notice->Ask(); });
    napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
  }
  ~ThreadsWrap() override { Stop(Env()); }

 private:
  static void OnEnvironmentEnd(void* self) { static_cast<ThreadsWrap*>(self)->End(); }

  // start() → 0 or -errno. Call it again after a secure context was made: an environment that ends destroys what was made last first.
  Napi::Value Start(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (threads_ == nullptr) return Result(info, -EINVAL);
    napi_remove_env_cleanup_hook(env, OnEnvironmentEnd, this);
    napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
    if (is_started_) return Result(info, 0);
    is_started_ = true;
    Running::Instance().Add(threads_.get());
    return Result(info, threads_->Start());
  }

  // submit(id, fd, context) → the thread's index
  Napi::Value Submit(const Napi::CallbackInfo& info) {
    ContextWrap* const context = ContextWrap::Unwrap(info[2].As<Napi::Object>());
    if (context == nullptr || threads_ == nullptr) return Result(info, -EINVAL);
    return Result(info, static_cast<ssize_t>(threads_->Submit(Uint32(info[0]), Int32(info[1], -1), context->context())));
  }

  void Abort(const Napi::CallbackInfo& info) {
    if (threads_ != nullptr) threads_->Abort(Uint32(info[0]), Uint32(info[1]));
  }

  // listen(fd, context) → 0 or -errno; -ENOENT: the event loop does not wait for the listening socket, or not yet. libuv has no way to
  // keep it from that but to close the socket, and so the event loop's epoll is told directly: libuv looks there again when it closes it.
  Napi::Value Listen(const Napi::CallbackInfo& info) {
    const int fd = Fd(info);
    ContextWrap* const context = ContextWrap::Unwrap(info[1].As<Napi::Object>());
    uv_loop_t* loop;
    if (context == nullptr || threads_ == nullptr || napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) return Result(info, -EINVAL);
    epoll_event event = {};
    if (epoll_ctl(uv_backend_fd(loop), EPOLL_CTL_DEL, fd, &event) != 0) return Result(info, -errno);
    const int error = threads_->Listen(fd, context->context());
    if (error != 0) WaitAgain(loop, fd);
    return Result(info, error);
  }

  // unlisten(fd): they accept no more; the event loop does, unless fd is -1
  void Unlisten(const Napi::CallbackInfo& info) {
    const int fd = Fd(info);
    if (threads_ != nullptr) threads_->Unlisten();
    uv_loop_t* loop;
    if (fd >= 0 && napi_get_uv_event_loop(info.Env(), &loop) == napi_ok) WaitAgain(loop, fd);
  }

  // As uv_listen() has it (src/unix/linux.c: the data is the descriptor).
  static void WaitAgain(uv_loop_t* loop, int fd) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(uv_backend_fd(loop), EPOLL_CTL_ADD, fd, &event);
  }

  // connections accepted by listen()
  Napi::Value Accepted(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), threads_ == nullptr ? 0 : static_cast<double>(threads_->accepted()));
  }

  // take() → a Buffer with all that has been told (native-events.ts)
  Napi::Value Take(const Napi::CallbackInfo& info) {
    return TakeFrom(info, threads_.get(), &given_);
  }

  // closeGiven(): the connections of take() that are not JavaScript's
  void CloseGiven(const Napi::CallbackInfo&) { given_.Close(); }

  // setRef(on): whether they keep the process alive
  void SetRef(const Napi::CallbackInfo& info) {
    if (notice_ != nullptr) notice_->SetRef(Bool(info[0]));
  }

  void Stop(const Napi::CallbackInfo& info) { Stop(info.Env()); }

  void Stop(Napi::Env env) {
    if (threads_ != nullptr) napi_remove_env_cleanup_hook(env, OnEnvironmentEnd, this);
    End();
  }

  void End() {
    given_.Close();
    if (threads_ == nullptr) return;
    Running::Instance().Stop(threads_.get());
    threads_.reset();
    notice_->Close();
    notice_ = nullptr;
  }

  std::unique_ptr<HandshakeThreads> threads_;
  Given given_;
  AsyncCall* notice_ = nullptr;
  bool is_started_ = false;
};

// new HandshakesHere(timeout, callback): the same as HandshakeThreads, in this thread
class HereWrap : public Napi::ObjectWrap<HereWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "HandshakesHere",
                       {InstanceMethod<&HereWrap::Start>("start"), InstanceMethod<&HereWrap::Submit>("submit"),
                        InstanceMethod<&HereWrap::Abort>("abort"), InstanceMethod<&HereWrap::Take>("take"),
                        InstanceMethod<&HereWrap::SetRef>("setRef"), InstanceMethod<&HereWrap::Stop>("stop")});
  }

  explicit HereWrap(const Napi::CallbackInfo& info)
      : ObjectWrap(info), callback_(Napi::Persistent(info[1].As<Napi::Function>())), context_(info.Env(), "so-crypt.handshakes") {
    options_.most_in_flight = SIZE_MAX;
    options_.timeout = std::chrono::milliseconds(Int64(info[0]));
  }

 private:
  // start() → 0 or -errno; also when it has been started, but not when it has been stopped
  Napi::Value Start(const Napi::CallbackInfo& info) {
    if (here_ != nullptr) return Result(info, 0);
    uv_loop_t* loop;
    int error = -EINVAL;
    if (cleanup_ == nullptr && napi_get_uv_event_loop(info.Env(), &loop) == napi_ok) here_ = HandshakesHere::Open(loop, options_, [this] { CallBack(Env(), context_, callback_); }, &error);
    if (here_ == nullptr) return Result(info, error);
    Ref();  // until it is closed
    napi_add_async_cleanup_hook(info.Env(), OnCleanup, this, &cleanup_);
    return Result(info, 0);
  }

  Napi::Value Submit(const Napi::CallbackInfo& info) {
    ContextWrap* const context = ContextWrap::Unwrap(info[2].As<Napi::Object>());
    if (context == nullptr || here_ == nullptr) return Result(info, -EINVAL);
    here_->Begin(Uint32(info[0]), Int32(info[1], -1), context->context());
    return Result(info, 0);
  }

  void Abort(const Napi::CallbackInfo& info) {
    if (here_ != nullptr) here_->Abort(Uint32(info[1]));
  }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    Given none;  // it accepts none
    return TakeFrom(info, here_, &none);
  }

  void SetRef(const Napi::CallbackInfo& info) {
    if (here_ != nullptr) here_->SetRef(Bool(info[0]));
  }

  void Stop(const Napi::CallbackInfo&) { Close(false); }

  // Once it is closed nothing is called any more.
  void Close(bool is_ending) {
    HandshakesHere* const here = here_;
    here_ = nullptr;
    if (here == nullptr) return;
    here->Close([this, is_ending] {
      napi_remove_async_cleanup_hook(cleanup_);
      if (!is_ending) OnStopped();
    });
  }

  void OnStopped() {
    const Napi::HandleScope scope(Env());
    Unref();
  }

  // The environment ends: the event loop must be let go of before. (One that is closing already will say so.)
  static void OnCleanup(napi_async_cleanup_hook_handle, void* self) { static_cast<HereWrap*>(self)->Close(true); }

  LoopOptions options_ = {};
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  HandshakesHere* here_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

// lowerPriority(niceness): of the thread that calls it
void LowerOwnPriority(const Napi::CallbackInfo& info) { LowerPriority(Int32(info[0])); }

}  // namespace

void DefineHandshakes(Napi::Env env, Napi::Object exports) {
  exports.Set("HandshakeContext", ContextWrap::Define(env));
  exports.Set("HandshakeThreads", ThreadsWrap::Define(env));
  exports.Set("HandshakesHere", HereWrap::Define(env));
  exports.Set("lowerPriority", Napi::Function::New<LowerOwnPriority>(env, "lowerPriority"));
}

}  // namespace so_crypt
#endif
