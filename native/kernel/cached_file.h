// SPDX-License-Identifier: MIT
// Files as far as the kernel has them in memory: what would wait for a disk or a server is refused, and is somebody else's work.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace so_crypt {

struct FileFacts {
  uint64_t size;
  int64_t modified_seconds;
  int64_t modified_nanoseconds;
};

// A descriptor of a regular file, or -errno. It never waits: -EAGAIN where a part of the path is not in the kernel's cache of names.
int OpenCachedFile(const char* path, FileFacts* facts);

// Bytes of the page cache, as many as are there; 0 is the end of the file, -EAGAIN: none, -EOPNOTSUPP: the file system can't tell.
ssize_t ReadCached(int fd, uint8_t* out, size_t length, uint64_t offset);

}  // namespace so_crypt
