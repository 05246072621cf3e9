// SPDX-License-Identifier: GPL-2.0
/*
 * SO_CRYPT at SOL_SOCKET: gives the socket the upper layer protocol when it has
 * none, and hands the option to it. Built in, whether so_crypt is or not.
 */
#include <linux/so_crypt.h>
#include <net/inet_connection_sock.h>
#include <net/sock_crypt.h>
#include <net/tcp.h>

static bool is_ours(const struct sock *sk)
{
	const struct tcp_ulp_ops *ulp = inet_csk(sk)->icsk_ulp_ops;

	return ulp && !strcmp(ulp->name, SO_CRYPT_ULP);
}

int sock_crypt_setsockopt(struct sock *sk, sockptr_t optval,
			  unsigned int optlen)
{
	int err = 0;

	if (!sk_is_tcp(sk))
		return -ENOPROTOOPT;
	lock_sock(sk);
	if (!is_ours(sk))
		err = tcp_set_ulp(sk, SO_CRYPT_ULP);
	release_sock(sk);
	return err ?: READ_ONCE(sk->sk_prot)->setsockopt(sk, SOL_SO_CRYPT,
							 SO_CRYPT, optval,
							 optlen);
}

int sock_crypt_getsockopt(struct sock *sk, sockptr_t optval, sockptr_t optlen)
{
	bool ours = false;

	if (sk_is_tcp(sk)) {
		lock_sock(sk);
		ours = is_ours(sk);
		release_sock(sk);
	}
	if (!ours || optval.is_kernel || optlen.is_kernel)
		return -ENOPROTOOPT;
	return READ_ONCE(sk->sk_prot)->getsockopt(sk, SOL_SO_CRYPT, SO_CRYPT,
						  optval.user, optlen.user);
}
