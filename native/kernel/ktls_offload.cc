// SPDX-License-Identifier: MIT
// Who does the work of kTLS, from the kernel's socket diagnosis (sock_diag(7), include/uapi/linux/inet_diag.h).
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ktls.h"

namespace so_crypt {
namespace {

// enum of inet_diag.h and tls.h; headers older than 5.3 lack them.
constexpr int kDiagUlpInfo = 19;
constexpr int kUlpInfoTls = 2;
constexpr int kTlsInfoTxConf = 3;
constexpr int kTlsInfoRxConf = 4;
constexpr uint16_t kConfHardware = 3;  // and what follows it

// Attribute of that type among those of [first, first + length).
const rtattr* Find(const rtattr* first, int length, int type) {
  for (const rtattr* a = first; RTA_OK(a, length); a = RTA_NEXT(a, length))
    if ((a->rta_type & NLA_TYPE_MASK) == type) return a;
  return nullptr;
}

const rtattr* FindIn(const rtattr* parent, int type) {
  if (parent == nullptr) return nullptr;
  return Find(static_cast<const rtattr*>(RTA_DATA(parent)), static_cast<int>(RTA_PAYLOAD(parent)), type);
}

void PutAddress(const sockaddr_storage& address, uint8_t* family, __be32 out[4], __be16* port) {
  *family = static_cast<uint8_t>(address.ss_family);
  if (address.ss_family == AF_INET6) {
    const sockaddr_in6& a = reinterpret_cast<const sockaddr_in6&>(address);
    memcpy(out, &a.sin6_addr, sizeof a.sin6_addr);
    *port = a.sin6_port;
  } else {
    const sockaddr_in& a = reinterpret_cast<const sockaddr_in&>(address);
    out[0] = a.sin_addr.s_addr;
    *port = a.sin_port;
  }
}

}  // namespace

bool IsKtlsOnDevice(int fd, bool write) {
  sockaddr_storage here = {}, there = {};
  socklen_t here_length = sizeof here, there_length = sizeof there;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_length) != 0) return false;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_length) != 0) return false;
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0u;
  inet_diag_sockid& id = request.body.id;
  PutAddress(here, &request.body.sdiag_family, id.idiag_src, &id.idiag_sport);
  PutAddress(there, &request.body.sdiag_family, id.idiag_dst, &id.idiag_dport);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return false;
  alignas(nlmsghdr) uint8_t answer[4096];
  ssize_t length = -1;
  if (send(netlink, &request, sizeof request, 0) == sizeof request) length = recv(netlink, answer, sizeof answer, 0);
  close(netlink);
  const nlmsghdr* const header = reinterpret_cast<const nlmsghdr*>(answer);
  if (length < 0 || !NLMSG_OK(header, static_cast<size_t>(length)) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
  const inet_diag_msg* const body = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  const int attributes = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *body));
  const rtattr* const ulp = Find(reinterpret_cast<const rtattr*>(body + 1), attributes, kDiagUlpInfo);
  const rtattr* const conf = FindIn(FindIn(ulp, kUlpInfoTls), write ? kTlsInfoTxConf : kTlsInfoRxConf);
  uint16_t value = 0;
  if (conf != nullptr && RTA_PAYLOAD(conf) >= sizeof value) memcpy(&value, RTA_DATA(conf), sizeof value);
  return value >= kConfHardware;
}

}  // namespace so_crypt
