// SPDX-License-Identifier: GPL-2.0
/* How a TCP socket becomes ours, and what it is when it is closed. */
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/splice.h>
#include <net/tcp.h>
#include "compat.h"
#include "context.h"

/* The tables of a family, made from TCP's own when first needed. */
struct family {
	struct proto *base;
	struct proto prot;
	const struct proto_ops *base_ops;
	struct proto_ops ops;
};

static struct family families[2];
static DEFINE_MUTEX(families_lock);

/* As TCP, but what is in the cipher counts, and our own push always may. */
static bool stream_memory_free(const struct sock *sk, int wake)
{
	const struct scr_context *ctx = scr_context(sk);
	const struct scr_tx *tx = &ctx->tx;

	if (READ_ONCE(tx->pushing))
		return true;
	if (READ_ONCE(tx->bytes) + (u32)READ_ONCE(sk->sk_wmem_queued) >=
	    (u32)READ_ONCE(sk->sk_sndbuf))
		return false;
	return ctx->base->stream_memory_free(sk, wake);
}

static bool sock_is_readable(struct sock *sk)
{
	return READ_ONCE(scr_context(sk)->rx.ready);
}

/* POLLIN for a whole frame, not for some bytes in TCP's queue. */
static __poll_t poll(struct file *file, struct socket *sock,
		     struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	const struct scr_context *ctx = scr_context(sk);
	__poll_t mask = ctx->base_ops->poll(file, sock, wait);

	if (!READ_ONCE(ctx->rx.dir) || READ_ONCE(ctx->rx.ready) ||
	    (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		return mask;
	return mask & ~(EPOLLIN | EPOLLRDNORM);
}

static ssize_t splice_read(struct socket *sock, loff_t *ppos,
			   struct pipe_inode_info *pipe, size_t len,
			   unsigned int flags)
{
	const struct scr_context *ctx = scr_context(sock->sk);

	if (!READ_ONCE(ctx->rx.dir))
		return ctx->base_ops->splice_read(sock, ppos, pipe, len, flags);
	return scr_splice_file_read(sock->file, ppos, pipe, len, flags);
}

/* For readers inside the kernel, which would find frames. */
static int read_sock(struct sock *sk, read_descriptor_t *desc,
		     sk_read_actor_t actor)
{
	const struct scr_context *ctx = scr_context(sk);

	if (READ_ONCE(ctx->rx.dir))
		return -EOPNOTSUPP;
	return ctx->base_ops->read_sock(sk, desc, actor);
}

static int disconnect(struct sock *sk, int flags)
{
	return -EOPNOTSUPP;
}

static void shutdown(struct sock *sk, int how)
{
	struct scr_context *ctx = scr_context(sk);
	int err = 0;

	if (how & SEND_SHUTDOWN) {
		/* Set already, but these bytes were written before. */
		WRITE_ONCE(sk->sk_shutdown,
			   sk->sk_shutdown & ~SEND_SHUTDOWN);
		err = scr_tx_flush(&ctx->tx);
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	}
	if (err && sk->sk_state != TCP_CLOSE) {
		/* No FIN behind a frame that could not be sent. */
		WRITE_ONCE(sk->sk_err, err == -EAGAIN ? ENOBUFS : -err);
		sk_error_report(sk);
		return;
	}
	ctx->base->shutdown(sk, how);
}

/* Nothing of ours is left behind this; TCP goes on alone. */
static void close(struct sock *sk, long timeout)
{
	struct scr_context *ctx = scr_context(sk);
	struct proto *base = ctx->base;

	scr_tx_stop_work(&ctx->tx);
	lock_sock(sk);
	/* A reset tells the peer that something is missing, or was not read. */
	if (scr_tx_flush(&ctx->tx) || scr_rx_has_unread(&ctx->rx)) {
		sock_set_flag(sk, SOCK_LINGER);
		sk->sk_lingertime = 0;
	}
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = ctx->base_data_ready;
	WRITE_ONCE(sk->sk_prot, base);
	if (sk->sk_socket)
		WRITE_ONCE(sk->sk_socket->ops, ctx->base_ops);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	scr_tx_purge(&ctx->tx);
	ctx->rx.closing = true;
	release_sock(sk);
	/* Only our data_ready queues it. */
	cancel_work_sync(&ctx->rx.work);
	scr_rx_purge(&ctx->rx);
	kfree_rcu(ctx, rcu);
	base->close(sk, timeout);
}

#ifndef SCR_HAVE_ADDR_LEN
static int recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	return scr_recvmsg(sk, msg, len, flags, NULL);
}
#endif

static void build(struct family *f, struct proto *base,
		  const struct proto_ops *base_ops)
{
	f->prot = *base;
	f->prot.setsockopt = scr_setsockopt;
	f->prot.getsockopt = scr_getsockopt;
	f->prot.sendmsg = scr_sendmsg;
#ifdef SCR_HAVE_ADDR_LEN
	f->prot.recvmsg = scr_recvmsg;
#else
	f->prot.recvmsg = recvmsg;
#endif
	f->prot.stream_memory_free = stream_memory_free;
	f->prot.sock_is_readable = sock_is_readable;
	f->prot.disconnect = disconnect;
	f->prot.shutdown = shutdown;
	f->prot.close = close;
	f->ops = *base_ops;
	f->ops.poll = poll;
	f->ops.splice_read = splice_read;
	f->ops.read_sock = read_sock;
	/* For writers inside the kernel: they shall come by sendmsg. */
	f->ops.sendmsg_locked = NULL;
#ifdef SCR_HAVE_SPLICE_EOF
	f->prot.splice_eof = scr_splice_eof;
	f->ops.splice_eof = scr_splice_eof;
#endif
#ifdef SCR_HAVE_SENDPAGE
	f->prot.sendpage = scr_sendpage;
	f->ops.sendpage_locked = NULL;
#endif
	f->base_ops = base_ops;
	/* The tables come first: family_of() reads without the lock. */
	smp_store_release(&f->base, base);
}

static struct family *family_of(struct sock *sk)
{
	struct family *f = &families[sk->sk_family == AF_INET6];
	struct proto *base = READ_ONCE(sk->sk_prot);

	/* TCP as it is made, nothing in between (MPTCP, sockmap ...) */
	if (base->sendmsg != tcp_sendmsg ||
	    base->close != tcp_close || sk_is_mptcp(sk))
		return ERR_PTR(-EOPNOTSUPP);
	if (!smp_load_acquire(&f->base)) {	/* with build() */
		mutex_lock(&families_lock);
		if (!f->base)
			build(f, base, READ_ONCE(sk->sk_socket->ops));
		mutex_unlock(&families_lock);
	}
	if (f->base != base || f->base_ops != READ_ONCE(sk->sk_socket->ops))
		return ERR_PTR(-EOPNOTSUPP);
	return f;
}

static int init(struct sock *sk)
{
	struct scr_context *ctx;
	struct family *f;

	if (sk->sk_state != TCP_ESTABLISHED)
		return -ENOTCONN;
	f = family_of(sk);
	if (IS_ERR(f))
		return PTR_ERR(f);
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ctx->sk = sk;
	ctx->base = f->base;
	ctx->base_ops = f->base_ops;
	scr_tx_init(&ctx->tx, sk);
	scr_rx_init(&ctx->rx, sk);

	write_lock_bh(&sk->sk_callback_lock);
	ctx->base_data_ready = sk->sk_data_ready;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, ctx);
	WRITE_ONCE(sk->sk_prot, &f->prot);
	WRITE_ONCE(sk->sk_socket->ops, &f->ops);
	sk->sk_data_ready = scr_rx_data_ready;
	write_unlock_bh(&sk->sk_callback_lock);
	return 0;
}

struct tcp_ulp_ops scr_ulp_ops __read_mostly = {
	.name	= SO_CRYPT_ULP,
	.owner	= THIS_MODULE,
	.init	= init,
};
