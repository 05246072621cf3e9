// SPDX-License-Identifier: GPL-2.0
/* recvmsg() on an armed socket. */
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "compat.h"
#include "context.h"
#include "rx.h"

static bool is_over(struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & RCV_SHUTDOWN) ||
	       sk->sk_state == TCP_CLOSE;
}

/* No frame is whole, and none will be. */
static int end_of(struct scr_rx *rx)
{
	struct sock *sk = rx->sk;

	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN) {
		/* The peer's FIN, not a shutdown() of ours */
		if (sock_flag(sk, SOCK_DONE) &&
		    (rx->discard || rx->have || tcp_inq(sk) > 0)) {
			rx->err = rx->discard ? -EBADMSG : -ECONNABORTED;
			return rx->err;
		}
		return 0;
	}
	return -ENOTCONN;
}

/* 1: look again, 0: the end, or an error. Releases the lock to sleep. */
static int wait_for_frame(struct scr_rx *rx, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = rx->sk;
	int rc;

	if (is_over(sk))
		return end_of(rx);
	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	rx->waiting++;
	rc = sk_wait_event(sk, timeo, READ_ONCE(rx->ready) || is_over(sk),
			   &wait);
	rx->waiting--;
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return rc < 0 ? rc : 1;
}

/* 1 go on, 0 the record is of another type than the read, or an error. */
static int give_type(struct scr_rx *rx, struct msghdr *msg, u8 *type)
{
	u8 it = rx->plain.type;
	int err;

	if (*type)
		return *type == it;
	if (rx->dir->layout.type_offset >= 0) {
		err = put_cmsg(msg, SO_CRYPT_SOL_CMSG, SO_CRYPT_GET_RECORD_TYPE,
			       sizeof(it), &it);
		if (it != SCR_TYPE_DATA &&
		    (err || (msg->msg_flags & MSG_CTRUNC)))
			return -EIO;
	}
	*type = it;
	return 1;
}

/* Copies from the open frame; 1: another one may follow in this read. */
static int give_bytes(struct scr_rx *rx, struct msghdr *msg, size_t *len,
		      bool peek, ssize_t *copied)
{
	const size_t n = min_t(size_t, *len, rx->plain.len);

	if (copy_to_iter(scr_rx_text(rx), n, &msg->msg_iter) != n)
		return -EFAULT;
	*copied += n;
	*len -= n;
	if (n == rx->plain.len)
		msg->msg_flags |= MSG_EOR;
	else
		msg->msg_flags &= ~MSG_EOR;
	if (peek)
		return 0;
	rx->plain.offset += n;
	rx->plain.len -= n;
	if (rx->plain.len)
		return 0;
	scr_rx_done(rx);
	return rx->plain.type == SCR_TYPE_DATA && !rx->dir->layout.messages;
}

static int receive(struct scr_rx *rx, struct msghdr *msg, size_t len, int flags,
		   ssize_t *copied)
{
	const int target = sock_rcvlowat(rx->sk, flags & MSG_WAITALL, len);
	long timeo = sock_rcvtimeo(rx->sk, flags & MSG_DONTWAIT);
	u8 type = 0;
	int err;

	while (len) {
		err = scr_rx_next(rx);
		if (err < 0)
			return err;
		if (!err) {
			if (*copied >= target)
				return 0;
			scr_rx_free_idle(rx);
			err = wait_for_frame(rx, &timeo);
			if (err <= 0)
				return err;
			continue;
		}
		if (!rx->plain.len) {	/* TLS allows empty ones */
			scr_rx_done(rx);
			cond_resched();
			if (signal_pending(current))
				return sock_intr_errno(timeo);
			continue;
		}
		err = give_type(rx, msg, &type);
		if (err > 0)
			err = give_bytes(rx, msg, &len, flags & MSG_PEEK,
					 copied);
		if (err <= 0)
			return err;
	}
	return 0;
}

int scr_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		int *addr_len)
{
	struct scr_context *ctx = scr_context(sk);
	struct scr_rx *rx = &ctx->rx;
	ssize_t copied = 0;
	int err;

	if ((flags & MSG_ERRQUEUE) || !READ_ONCE(rx->dir))
		return scr_base_recvmsg(ctx->base, sk, msg, len, flags,
					addr_len);
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	err = receive(rx, msg, len, flags, &copied);
	scr_rx_look(rx);
	if (rx->ready && rx->waiting)
		ctx->base_data_ready(sk);	/* another reader */
	if (!rx->ready)
		scr_rx_free_idle(rx);
	release_sock(sk);
	return copied ?: err;
}
