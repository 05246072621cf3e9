// SPDX-License-Identifier: MIT
#include "cached_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace so_crypt {
namespace {

// Not all C libraries have names for these. openat2(2) came with Linux 5.6, RESOLVE_CACHED with 5.12.
constexpr long kOpenat2 = 437;
constexpr int kReadNoWait = 0x8;  // RWF_NOWAIT
constexpr uint64_t kResolveCached = 0x20;
struct OpenHow {
  uint64_t flags, mode, resolve;
};

}  // namespace

int OpenCachedFile(const char* path, FileFacts* facts) {
  // O_NONBLOCK: what turns out to be a FIFO must not wait for its writer.
  const OpenHow how = {O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, kResolveCached};
  const int fd = static_cast<int>(syscall(kOpenat2, AT_FDCWD, path, &how, sizeof how));
  if (fd < 0) return -errno;
  struct stat stat;
  const int error = fstat(fd, &stat) < 0 ? errno : S_ISREG(stat.st_mode) ? 0 : EINVAL;
  if (error != 0) {
    close(fd);
    return -error;
  }
  *facts = {static_cast<uint64_t>(stat.st_size), stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec};
  return fd;
}

ssize_t ReadCached(int fd, uint8_t* out, size_t length, uint64_t offset) {
  iovec vector = {out, length};
  ssize_t result;
  do {
    // The second half of the offset is for the CPUs whose registers have 32 bits.
    result = syscall(SYS_preadv2, fd, &vector, 1, static_cast<unsigned long>(offset), static_cast<unsigned long>((offset >> 16) >> 16),
                     kReadNoWait);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

}  // namespace so_crypt
