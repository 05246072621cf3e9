// SPDX-License-Identifier: MIT
#include "inherited.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "../../kernel-patch/linux/include/uapi/linux/so_crypt.h"
#include "ktls.h"

namespace so_crypt {
namespace {

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

// struct tls_crypto_info: asked for no more than that, the kernel gives no key.
struct KtlsHead {
  uint16_t version, cipher;
};

// 1: armed, 0: not, or -errno
int HeadOf(int fd, bool write, KtlsHead* head) {
  socklen_t length = sizeof *head;
  if (getsockopt(fd, 282 /* SOL_TLS */, write ? 1 : 2, head, &length) == 0) return 1;
  return errno == EBUSY ? 0 : -errno;
}

int FindKtls(int fd, Inherited* found) {
  KtlsHead head = {};
  for (const bool write : {false, true}) {
    KtlsHead one = {};
    const int armed = HeadOf(fd, write, &one);
    if (armed < 0) return armed;
    (write ? found->write : found->read) = armed == 1;
    if (armed == 1) head = one;
  }
  if (!found->write && !found->read) return 0;
  const KtlsCipher* const cipher = FindKtlsCipherByType(head.cipher);
  if (cipher == nullptr) return -EOPNOTSUPP;
  found->engine = "ktls";
  found->protocol = head.version;
  found->cipher = cipher->name;
  return 0;
}

std::string NameOf(const char (&name)[SO_CRYPT_NAME_LEN]) { return std::string(name, strnlen(name, sizeof name)); }

int FindSoCrypt(int fd, Inherited* found) {
  so_crypt_status status = {};
  socklen_t length = sizeof status;
  if (getsockopt(fd, SOL_SO_CRYPT, SO_CRYPT, &status, &length) != 0) return -errno;
  found->write = (status.write.state & SO_CRYPT_STATE_ARMED) != 0;
  found->read = (status.read.state & SO_CRYPT_STATE_ARMED) != 0;
  if (!found->write && !found->read) return 0;
  const so_crypt_direction_status& one = found->write ? status.write : status.read;
  found->engine = "so_crypt";
  found->protocol = one.protocol;
  found->encrypt_then_mac = (one.flags & SO_CRYPT_ETM) != 0;
  found->cipher = NameOf(one.cipher);
  found->mac = NameOf(one.mac);
  return 0;
}

}  // namespace

int FindInherited(int fd, Inherited* found) {
  *found = {};
  char name[17] = {};
  socklen_t length = sizeof name - 1;
  // No TCP (a Unix socket): then there is nothing.
  if (getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &length) != 0) return errno == EBADF ? -EBADF : 0;
  if (length == 0 || *name == 0) return 0;
  if (strcmp(name, "tls") == 0) return FindKtls(fd, found);
  if (strcmp(name, SO_CRYPT_ULP) == 0) return FindSoCrypt(fd, found);
  return -EOPNOTSUPP;
}

}  // namespace so_crypt
