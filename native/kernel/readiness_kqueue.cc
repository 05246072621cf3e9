// SPDX-License-Identifier: MIT
#ifdef __OpenBSD__
// event.h needs the others.
#include <sys/types.h>
#include <sys/time.h>
#include <sys/event.h>

#include <fcntl.h>

#include <cerrno>

#include "readiness.h"

namespace so_crypt {
namespace {

// Adding a filter that is there already tells anew whether it holds.
int Change(int queue, int fd, short filter, unsigned short flags, uint32_t id) {
  struct kevent change;
  EV_SET(&change, fd, filter, flags, 0, 0, reinterpret_cast<void*>(static_cast<uintptr_t>(id)));
  return kevent(queue, &change, 1, nullptr, 0, nullptr) == 0 ? 0 : -errno;
}

}  // namespace

int Readiness::OpenQueue() {
  // Non-blocking now, although nothing waits here: libuv wants its descriptors so, and fcntl(2) fails on a queue.
  const int queue = kqueue1(O_CLOEXEC | O_NONBLOCK);
  return queue < 0 ? -errno : queue;
}

int Readiness::Watch(int fd, uint32_t id, bool writable, bool is_known) {
  if (const int error = Change(queue_, fd, EVFILT_READ, EV_ADD | EV_CLEAR, id)) return error;
  if (writable) return Change(queue_, fd, EVFILT_WRITE, EV_ADD | EV_CLEAR, id);
  if (is_known) Change(queue_, fd, EVFILT_WRITE, EV_DELETE, id);  // ENOENT: it was not watched for that
  return 0;
}

void Readiness::Forget(int fd) {
  Change(queue_, fd, EVFILT_READ, EV_DELETE, 0);
  Change(queue_, fd, EVFILT_WRITE, EV_DELETE, 0);
}

int Readiness::Collect(Ready* ready) const {
  struct kevent events[kMostEvents];
  const timespec at_once = {0, 0};
  const int count = kevent(queue_, nullptr, 0, events, kMostEvents, &at_once);
  for (int i = 0; i < count; i++) {
    ready[i].id = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(events[i].udata));
    ready[i].mask = events[i].filter == EVFILT_READ ? Ready::kReadable : Ready::kWritable;
  }
  return count;
}

}  // namespace so_crypt
#endif
