// SPDX-License-Identifier: MIT
#include "cryptodev_device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace so_crypt::cryptodev {
namespace {

// Sessions belong to it.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

int Device() {
  static thread_local Descriptor device;
  if (device.fd < 0) {
    device.fd = open("/dev/crypto", O_RDWR | O_CLOEXEC);
    if (device.fd < 0) LastFailure() = {"open", errno};
  }
  return device.fd;
}

bool Call(const char* name, unsigned long number, void* argument) {
  const int fd = Device();
  if (fd < 0) return false;
  int result;
  do {
    result = ioctl(fd, number, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0) LastFailure() = {name, errno};
  return result >= 0;
}

}  // namespace so_crypt::cryptodev
