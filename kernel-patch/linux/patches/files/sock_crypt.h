/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NET_SOCK_CRYPT_H
#define _NET_SOCK_CRYPT_H

#include <linux/kconfig.h>
#include <linux/so_crypt.h>
#include <linux/sockptr.h>

struct sock;

#if IS_ENABLED(CONFIG_SO_CRYPT)
int sock_crypt_setsockopt(struct sock *sk, sockptr_t optval,
			  unsigned int optlen);
int sock_crypt_getsockopt(struct sock *sk, sockptr_t optval, sockptr_t optlen);
#else
static inline int sock_crypt_setsockopt(struct sock *sk, sockptr_t optval,
					unsigned int optlen)
{
	return -ENOPROTOOPT;
}

static inline int sock_crypt_getsockopt(struct sock *sk, sockptr_t optval,
					sockptr_t optlen)
{
	return -ENOPROTOOPT;
}
#endif
#endif
