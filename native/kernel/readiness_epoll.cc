// SPDX-License-Identifier: MIT
#ifdef __linux__
#include <sys/epoll.h>

#include <cerrno>

#include "readiness.h"

namespace so_crypt {

int Readiness::OpenQueue() {
  const int queue = epoll_create1(EPOLL_CLOEXEC);
  return queue < 0 ? -errno : queue;
}

int Readiness::Watch(int fd, uint32_t id, bool writable, bool is_known) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (writable ? EPOLLOUT : 0u);
  event.data.u32 = id;
  return epoll_ctl(queue_, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void Readiness::Forget(int fd) {
  epoll_event unused = {};
  epoll_ctl(queue_, EPOLL_CTL_DEL, fd, &unused);
}

int Readiness::Collect(Ready* ready) const {
  epoll_event events[kMostEvents];
  const int count = epoll_wait(queue_, events, kMostEvents, 0);
  for (int i = 0; i < count; i++) {
    const uint32_t mask = events[i].events;
    ready[i].id = events[i].data.u32;
    ready[i].mask = (mask & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP) ? Ready::kReadable : 0u) |
                    (mask & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? Ready::kWritable : 0u);
  }
  return count;
}

}  // namespace so_crypt
#endif
