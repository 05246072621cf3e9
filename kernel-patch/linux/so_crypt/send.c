// SPDX-License-Identifier: GPL-2.0
/* sendmsg() and its relatives on an armed socket. */
#include <linux/bvec.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "compat.h"
#include "context.h"
#include "record.h"
#include "tx.h"

/*
 * MSG_BATCH is sendmmsg()'s: another message is coming. Each is complete, so
 * nothing waits for it, which may never come either: that it can't be read, or
 * is too long, is told to the caller alone.
 */
static const int known_flags = MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL |
			       MSG_EOR | MSG_CMSG_COMPAT | MSG_CONFIRM |
			       MSG_BATCH |
#ifdef SCR_HAVE_SENDPAGE
			       MSG_SENDPAGE_NOTLAST | MSG_SENDPAGE_NOPOLICY;
#else
			       MSG_SPLICE_PAGES;
#endif

/* The record type of a control message, else application data. */
static int record_type(const struct scr_direction *d, struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	int type = SCR_TYPE_DATA;

	if (!msg->msg_controllen)
		return type;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SO_CRYPT_SOL_CMSG)
			continue;
		if (cmsg->cmsg_type != SO_CRYPT_SET_RECORD_TYPE ||
		    cmsg->cmsg_len < CMSG_LEN(sizeof(u8)))
			return -EINVAL;
		if (d->layout.type_offset < 0)
			return -EINVAL;
		type = *(u8 *)CMSG_DATA(cmsg);
		if (type < SCR_TYPE_FIRST || type > SCR_TYPE_LAST)
			return -EINVAL;
	}
	return type;
}

/* 1, or an error. Releases the lock: the work may push meanwhile. */
static int wait_memory(struct scr_tx *tx, long *timeo)
{
	int err;

	scr_tx_leave(tx);
	err = sk_stream_wait_memory(tx->sk, timeo);
	scr_tx_enter(tx);
	return err ?: 1;
}

/*
 * Until there is room for another record. 1: the lock was released on the way,
 * so look at everything again.
 */
static int wait_for_room(struct scr_tx *tx, long *timeo)
{
	struct sock *sk = tx->sk;
	int err;

	if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
		return -EPIPE;
	err = scr_tx_push(tx, false);
	if (err && err != -EAGAIN)
		return err;
	if (!scr_may_go_on(tx->dir))
		return -EKEYEXPIRED;
	if (!err && sk_stream_memory_free(sk)) {
		while (tx->queued >= tx->dir->depth && !err) {
			scr_tx_wait_some(tx);
			err = scr_tx_push(tx, false);
		}
		if (err != -EAGAIN)
			return err;
	}
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	return wait_memory(tx, timeo);
}

static u32 capacity_for(const struct scr_direction *d, size_t left, u8 type,
			bool first, bool more)
{
	/* TLS 1.0: the IV is known, so no chosen block may come first. */
	if (d->protocol == SO_CRYPT_TLS_1_0 && type == SCR_TYPE_DATA && first &&
	    left > 1)
		return 1;
	if (more)
		return d->layout.max_payload;
	return min_t(size_t, left, d->layout.max_payload);
}

static int close_record(struct scr_tx *tx, bool more)
{
	struct scr_record *r = tx->open;

	tx->open = NULL;
	return scr_tx_queue(tx, r, more);
}

/* A record to write into: the open one, or a new one when there is room. */
static int open_record(struct scr_tx *tx, u8 type, u32 capacity, long *timeo)
{
	int err;

	if (tx->open && tx->open->type != type)
		return close_record(tx, false) ?: 1;
	if (tx->open)
		return 0;
	err = wait_for_room(tx, timeo);
	if (err)
		return err;
	tx->open = scr_tx_new_record(tx, capacity);
	if (!tx->open)
		return wait_memory(tx, timeo);
	tx->open->type = type;
	return 0;
}

/* Takes up to a record's rest. Bytes that can't be read leave it as it was. */
static int fill(struct scr_tx *tx, struct msghdr *msg)
{
	struct scr_record *r = tx->open;
	u32 n = min_t(size_t, msg_data_left(msg), r->capacity - r->payload);
	u8 *to = r->data + scr_payload_offset(&tx->dir->layout) + r->payload;

	if (copy_from_iter_full(to, n, &msg->msg_iter)) {
		r->payload += n;
		return n;
	}
	if (!r->payload) {
		scr_tx_drop(tx, r);
		tx->open = NULL;
	}
	return -EFAULT;
}

static int send_stream(struct scr_tx *tx, struct msghdr *msg, u8 type,
		       ssize_t *copied)
{
	const bool more = msg->msg_flags & MSG_MORE;
	long timeo = sock_sndtimeo(tx->sk, msg->msg_flags & MSG_DONTWAIT);
	bool first = true;
	int err;

	while (msg_data_left(msg)) {
		const size_t left = msg_data_left(msg);
		const u32 capacity = capacity_for(tx->dir, left, type, first,
						  more);

		err = open_record(tx, type, capacity, &timeo);
		if (err > 0)
			continue;
		if (!err)
			err = fill(tx, msg);
		if (err < 0)
			return err;
		first = false;
		*copied += err;
		if (tx->open->payload == tx->open->capacity ||
		    (!msg_data_left(msg) && !more)) {
			err = close_record(tx, msg_data_left(msg));
			if (err)
				return err;
		}
	}
	/* An empty write that ends what MSG_MORE began */
	if (tx->open && !more)
		return close_record(tx, false);
	return 0;
}

/* One payload: all of it or nothing. */
static int send_message(struct scr_tx *tx, struct msghdr *msg, ssize_t *copied)
{
	const u32 max = tx->dir->layout.max_payload;
	const bool more = msg->msg_flags & MSG_MORE;
	const size_t size = msg_data_left(msg);
	long timeo = sock_sndtimeo(tx->sk, msg->msg_flags & MSG_DONTWAIT);
	int err = 0;

	while (size) {
		const u32 had = tx->open ? tx->open->payload : 0;

		if (size > max - had)
			return -EMSGSIZE;
		err = open_record(tx, SCR_TYPE_DATA, more ? max : size, &timeo);
		if (err > 0)
			continue;
		if (!err)
			err = fill(tx, msg);
		if (err < 0)
			return err;
		*copied = err;
		break;
	}
	if (tx->open && !more)
		return close_record(tx, false);
	return 0;
}

int scr_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct scr_tx *tx = &scr_context(sk)->tx;
	ssize_t copied = 0;
	int type, err;

	lock_sock(sk);
	if (!tx->dir) {
		err = tcp_sendmsg_locked(sk, msg, size);
		release_sock(sk);
		return err;
	}
	err = -EOPNOTSUPP;
	if (msg->msg_flags & ~known_flags)
		goto out;
	type = record_type(tx->dir, msg);
	err = type;
	if (err < 0)
		goto out;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	scr_tx_enter(tx);
	if (tx->dir->layout.messages)
		err = send_message(tx, msg, &copied);
	else
		err = send_stream(tx, msg, type, &copied);
	scr_tx_leave(tx);
	if (!copied && err)
		err = sk_stream_error(sk, msg->msg_flags, err);
out:
	release_sock(sk);
	return copied ?: err;
}

#ifdef SCR_HAVE_SENDPAGE
int scr_sendpage(struct sock *sk, struct page *page, int offset, size_t size,
		 int flags)
{
	struct msghdr msg = { .msg_flags = flags };
	struct bio_vec vec = {
		.bv_page = page, .bv_offset = offset, .bv_len = size,
	};
	int err;

	lock_sock(sk);
	if (!scr_context(sk)->tx.dir) {
		err = tcp_sendpage_locked(sk, page, offset, size, flags);
		release_sock(sk);
		return err;
	}
	release_sock(sk);
	if (flags & MSG_SENDPAGE_NOTLAST)
		msg.msg_flags |= MSG_MORE;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, size);
	return scr_sendmsg(sk, &msg, size);
}
#endif

#ifdef SCR_HAVE_SPLICE_EOF
/* sendfile() ended before it was expected to: nothing follows MSG_MORE. */
void scr_splice_eof(struct socket *sock)
{
	struct scr_context *ctx = scr_context(sock->sk);
	bool armed;

	lock_sock(sock->sk);
	armed = ctx->tx.dir;
	if (ctx->tx.open)
		close_record(&ctx->tx, false);
	release_sock(sock->sk);
	if (!armed && ctx->base_ops->splice_eof)
		ctx->base_ops->splice_eof(sock);
}
#endif
