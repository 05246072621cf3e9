// SPDX-License-Identifier: MIT
#ifdef __linux__
#include "aio.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace so_crypt {

Aio* Aio::OfThread() {
  static thread_local Aio aio;
  if (aio.context_ == 0 && syscall(SYS_io_setup, kMost, &aio.context_) != 0) {
    aio.context_ = 0;
    return nullptr;
  }
  return &aio;
}

Aio::~Aio() {
  if (context_ != 0) syscall(SYS_io_destroy, context_);
}

bool Aio::Collect(Read* reads, size_t at_least, size_t* done) {
  io_event events[kMost];
  timespec at_once = {0, 0};
  const long n = syscall(SYS_io_getevents, context_, at_least, kMost, events, at_least == 0 ? &at_once : nullptr);
  if (n < 0) return errno == EINTR;
  for (long i = 0; i < n; i++) reads[events[i].data].result = events[i].res;
  *done += static_cast<size_t>(n);
  return true;
}

size_t Aio::Run(Read* reads, size_t count) {
  iocb blocks[kMost];
  iocb* list[kMost];
  count = std::min(count, kMost);
  for (size_t i = 0; i < count; i++) {
    reads[i].begun = false;
    memset(&blocks[i], 0, sizeof blocks[i]);
    blocks[i].aio_data = i;
    blocks[i].aio_lio_opcode = IOCB_CMD_PREADV;
    blocks[i].aio_fildes = static_cast<uint32_t>(reads[i].fd);
    blocks[i].aio_buf = reinterpret_cast<uintptr_t>(reads[i].parts);
    blocks[i].aio_nbytes = reads[i].count;
    list[i] = &blocks[i];
  }
  const long n = syscall(SYS_io_submit, context_, count, list);
  const size_t begun = n < 0 ? 0 : static_cast<size_t>(n);
  for (size_t i = 0; i < begun; i++) {
    reads[i].begun = true;
    reads[i].result = -EIO;
  }
  size_t done = 0;
  Collect(reads, 0, &done);
  const size_t at_once = done;
  while (done < begun) {
    if (Collect(reads, begun - done, &done)) continue;
    // It can't fail. If it did, buffers would be in use: this waits until they are not.
    syscall(SYS_io_destroy, context_);
    context_ = 0;
    break;
  }
  return at_once;
}

}  // namespace so_crypt
#endif
