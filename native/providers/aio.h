// SPDX-License-Identifier: MIT
// Reads that run at the same time, by the kernel's own asynchronous I/O (io_submit(2)): it is what AF_ALG offers for having several
// operations under way. glibc has no functions for it.
#pragma once
#include <linux/aio_abi.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace so_crypt {

class Aio {
 public:
  static constexpr size_t kMost = 16;

  struct Read {
    int fd;
    const iovec* parts;
    size_t count;
    int64_t result;  // bytes, or -errno
    bool begun;      // false: result means nothing
  };

  // This thread's. Null: the system has none left (fs.aio-max-nr), or forbids it.
  static Aio* OfThread();

  // Begins the reads, kMost at most, and waits until each that began is done: no buffer is in use by the kernel afterwards. Returns
  // how many were done as soon as they had begun.
  size_t Run(Read* reads, size_t count);

  ~Aio();

 private:
  // Takes the results of reads that are done. False: that failed, and not for a signal.
  bool Collect(Read* reads, size_t at_least, size_t* done);

  aio_context_t context_ = 0;
};

}  // namespace so_crypt
