/* SPDX-License-Identifier: MIT */
/*
 * kqueue(2) on Linux's epoll(7), as much as native/kernel/readiness_kqueue.cc takes: EVFILT_READ and EVFILT_WRITE with EV_CLEAR, which is
 * what EPOLLET does. Both filters of a descriptor have the same udata here.
 */
#pragma once
#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

struct kevent {
  uintptr_t ident;
  short filter;
  unsigned short flags;
  unsigned int fflags;
  int64_t data;
  void* udata;
};

enum { EVFILT_READ = -1, EVFILT_WRITE = -2 };
enum { EV_ADD = 0x0001, EV_DELETE = 0x0002, EV_CLEAR = 0x0020, EV_EOF = 0x8000 };

inline void EV_SET(struct kevent* event, int fd, int filter, int flags, int fflags, int data, void* udata) {
  *event = {static_cast<uintptr_t>(fd),           static_cast<short>(filter), static_cast<unsigned short>(flags),
            static_cast<unsigned int>(fflags), data,                       udata};
}

namespace test_openbsd {

struct Filters {
  uint32_t mask;
  uint32_t udata;
};

inline std::mutex mutex;
inline std::map<std::pair<int, int>, Filters> filters;  // by queue and descriptor

inline uint32_t MaskOf(short filter) {
  return filter == EVFILT_READ ? static_cast<uint32_t>(EPOLLIN | EPOLLRDHUP) : static_cast<uint32_t>(EPOLLOUT);
}

inline int Change(int queue, const struct kevent& change) {
  const int fd = static_cast<int>(change.ident);
  const std::lock_guard<std::mutex> lock(mutex);
  Filters& known = filters[{queue, fd}];
  epoll_event event = {};
  if (change.flags & EV_DELETE) {
    if (!(known.mask & MaskOf(change.filter))) return errno = ENOENT, -1;
    known.mask &= ~MaskOf(change.filter);
    if (known.mask == 0) return epoll_ctl(queue, EPOLL_CTL_DEL, fd, &event);
  } else {
    known.mask |= MaskOf(change.filter);
    known.udata = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(change.udata));
  }
  event.events = known.mask | EPOLLET;
  event.data.u32 = known.udata;
  if (epoll_ctl(queue, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  if (errno != ENOENT) return -1;
  // New, or the number is another file's now: that has no filters yet.
  known.mask = MaskOf(change.filter);
  event.events = known.mask | EPOLLET;
  return epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace test_openbsd

inline int kqueue1(int flags) { return epoll_create1(flags & O_CLOEXEC ? EPOLL_CLOEXEC : 0); }

inline int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count, const timespec*) {
  for (int i = 0; i < change_count; i++)
    if (test_openbsd::Change(queue, changes[i]) != 0) return -1;
  if (event_count == 0) return 0;
  epoll_event ready[64];
  const int room = event_count / 2 < 64 ? event_count / 2 : 64;
  const int count = epoll_wait(queue, ready, room, 0);
  int told = 0;
  for (int i = 0; i < count; i++) {
    void* const udata = reinterpret_cast<void*>(static_cast<uintptr_t>(ready[i].data.u32));
    const bool end = ready[i].events & (EPOLLHUP | EPOLLERR);
    const auto tell = [&](int filter) { EV_SET(&events[told++], 0, filter, EV_CLEAR | (end ? EV_EOF : 0), 0, 0, udata); };
    if (end || (ready[i].events & test_openbsd::MaskOf(EVFILT_READ))) tell(EVFILT_READ);
    if (end || (ready[i].events & test_openbsd::MaskOf(EVFILT_WRITE))) tell(EVFILT_WRITE);
  }
  return count < 0 ? -1 : told;
}
