/* SPDX-License-Identifier: GPL-2.0 */
/* What a socket has with us, from TCP_ULP to close(). */
#ifndef _SO_CRYPT_CONTEXT_H
#define _SO_CRYPT_CONTEXT_H

#include <linux/net.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include "rx.h"
#include "tx.h"

struct scr_context {
	struct sock *sk;
	struct proto *base;		/* TCP's own */
	const struct proto_ops *base_ops;
	void (*base_data_ready)(struct sock *sk);
	struct scr_tx tx;
	struct scr_rx rx;
	struct rcu_head rcu;
};

static inline struct scr_context *scr_context(const struct sock *sk)
{
	/* Set before our sk_prot is and cleared behind it. */
	return (__force void *)inet_csk(sk)->icsk_ulp_data;
}

/* ulp.c */
extern struct tcp_ulp_ops scr_ulp_ops;

/* sockopt.c */
int scr_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		   unsigned int optlen);
int scr_getsockopt(struct sock *sk, int level, int optname,
		   char __user *optval, int __user *optlen);
#endif
