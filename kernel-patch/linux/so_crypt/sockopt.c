// SPDX-License-Identifier: GPL-2.0
/* setsockopt() and getsockopt(): the ABI of <linux/so_crypt.h>. */
#include <linux/err.h>
#include <linux/skmsg.h>
#include <linux/slab.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <net/tcp.h>
#include "compat.h"
#include "context.h"

static int copy_info(struct so_crypt_info *info, sockptr_t optval, u32 optlen)
{
	int err;

	if (optlen < sizeof(*info))
		return -EINVAL;
	if (optlen > PAGE_SIZE)
		return -E2BIG;
	err = check_zeroed_sockptr(optval, sizeof(*info),
				   optlen - sizeof(*info));
	if (err < 1)
		return err ?: -E2BIG;
	if (copy_from_sockptr(info, optval, sizeof(*info)))
		return -EFAULT;
	return 0;
}

static bool is_zero(const void *field, size_t len)
{
	return !memchr_inv(field, 0, len);
}

/* What needs no knowledge of ciphers. */
static int check_info(const struct so_crypt_info *info)
{
	const bool custom = info->protocol == SO_CRYPT_CUSTOM;

	if (info->operation != SO_CRYPT_ARM &&
	    info->operation != SO_CRYPT_REKEY)
		return -EINVAL;
	if (info->direction != SO_CRYPT_WRITE &&
	    info->direction != SO_CRYPT_READ)
		return -EINVAL;
	if (info->flags & ~SO_CRYPT_ETM)
		return -EINVAL;
	if (info->key_len > SO_CRYPT_MAX_KEY ||
	    info->mac_key_len > SO_CRYPT_MAX_KEY ||
	    info->iv_len > SO_CRYPT_MAX_IV)
		return -EINVAL;
	if (!memchr(info->cipher, 0, SO_CRYPT_NAME_LEN) ||
	    !memchr(info->mac, 0, SO_CRYPT_NAME_LEN))
		return -EINVAL;
	if (!is_zero(info->reserved1, sizeof(info->reserved1)) ||
	    !is_zero(info->reserved2, sizeof(info->reserved2)) ||
	    (!custom && !is_zero(&info->layout, sizeof(info->layout))))
		return -EINVAL;
	/* Bytes behind the lengths given: a caller who means something else. */
	if (!is_zero(info->key + info->key_len,
		     SO_CRYPT_MAX_KEY - info->key_len) ||
	    !is_zero(info->mac_key + info->mac_key_len,
		     SO_CRYPT_MAX_KEY - info->mac_key_len) ||
	    !is_zero(info->iv + info->iv_len, SO_CRYPT_MAX_IV - info->iv_len))
		return -EINVAL;
	return 0;
}

/* The two directions of a connection never have the same key either. */
static int check_key(const struct scr_context *ctx,
		     const struct scr_direction *d)
{
	if ((ctx->tx.dir && scr_same_key(ctx->tx.dir, d)) ||
	    (ctx->rx.dir && scr_same_key(ctx->rx.dir, d)))
		return -EEXIST;
	return 0;
}

static int check_operation(const struct scr_direction *old,
			   const struct so_crypt_info *info)
{
	if (info->operation == SO_CRYPT_ARM)
		return old ? -EEXIST : 0;
	if (!old)
		return -ENOTCONN;
	return old->protocol == info->protocol ? 0 : -EINVAL;
}

/*
 * New keys are for the same frames, but SSH's may be others. Own layouts differ
 * in more than the cipher: the bytes of a frame that are here already would not
 * fit another one.
 */
static bool is_same_kind(const struct scr_direction *a,
			 const struct scr_direction *b)
{
	if (a->protocol == SO_CRYPT_SSH)
		return true;
	if (a->protocol == SO_CRYPT_CUSTOM &&
	    memcmp(&a->layout, &b->layout, sizeof(a->layout)))
		return false;
	return a->cipher == b->cipher && a->mac == b->mac &&
	       a->flags == b->flags;
}

static int arm_write(struct scr_context *ctx, struct scr_direction *d)
{
	struct scr_tx *tx = &ctx->tx;
	struct sock *sk = ctx->sk;
	int err;

	/* Another thread is in the middle of a plain write. */
	if (!tx->dir && sk->sk_write_pending)
		return -EBUSY;
	err = scr_tx_flush(tx);
	if (err)
		return err;
	scr_direction_free(tx->dir);
	tx->dir = d;
	return 0;
}

static int arm_read(struct scr_context *ctx, struct scr_direction *d)
{
	struct scr_rx *rx = &ctx->rx;

	/* Bytes of a frame under the old key */
	if (rx->dir && !rx->paused &&
	    (rx->in_frame || rx->opened || !list_empty(&rx->ahead)))
		return -EBUSY;
	if (rx->err || rx->discard)
		return rx->err ?: -EBADMSG;
	scr_direction_free(rx->dir);
	rx->bad = 0;
	rx->frame_len = 0;
	rx->paused = false;
	memset(&rx->messages, 0, sizeof(rx->messages));
	WRITE_ONCE(rx->dir, d);
	scr_rx_look(rx);
	if (rx->ready)
		ctx->base_data_ready(ctx->sk);
	return 0;
}

static int arm(struct scr_context *ctx, const struct so_crypt_info *info,
	       struct scr_direction *d)
{
	const bool writing = info->direction == SO_CRYPT_WRITE;
	const struct scr_direction *old = writing ? ctx->tx.dir : ctx->rx.dir;
	int err;

	err = check_operation(old, info) ?: check_key(ctx, d);
	if (err)
		return err;
	if (old && !is_same_kind(old, d))
		return -EINVAL;
	return writing ? arm_write(ctx, d) : arm_read(ctx, d);
}

static bool is_in_sockmap(struct sock *sk)
{
	bool it;

	rcu_read_lock();
	it = sk_psock(sk);
	rcu_read_unlock();
	return it;
}

static int set_crypt(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct scr_context *ctx = scr_context(sk);
	struct so_crypt_info *info;
	struct scr_direction *d;
	int err;

	info = kmalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	err = copy_info(info, optval, optlen) ?: check_info(info);
	if (err)
		goto out;
	/* Modules may be loaded for it: without the lock. */
	d = scr_direction_create(info);
	err = PTR_ERR_OR_ZERO(d);
	if (err)
		goto out;
	lock_sock(sk);
	if (is_in_sockmap(sk))
		err = -EBUSY;
	else if (sk->sk_state == TCP_CLOSE)
		err = -ENOTCONN;
	else
		err = arm(ctx, info, d);
	release_sock(sk);
	if (err)
		scr_direction_free(d);
out:
	kfree_sensitive(info);
	return err;
}

int scr_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	if (level != SOL_SO_CRYPT)
		return scr_context(sk)->base->setsockopt(sk, level, optname,
							 optval, optlen);
	if (optname != SO_CRYPT)
		return -ENOPROTOOPT;
	return set_crypt(sk, optval, optlen);
}

static void get_status(struct scr_context *ctx, struct so_crypt_status *status)
{
	if (ctx->tx.dir) {
		scr_direction_status(ctx->tx.dir, &status->write);
		status->write.error = -ctx->tx.err;
		status->write.in_flight = ctx->tx.queued;
	}
	if (ctx->rx.dir) {
		scr_direction_status(ctx->rx.dir, &status->read);
		status->read.error = -ctx->rx.err;
		/* What has not been read is not counted. */
		status->read.sequence -= ctx->rx.unopened;
		status->read.frames -= ctx->rx.unopened;
		if (ctx->rx.dir->protocol == SO_CRYPT_SSH)
			status->read.sequence &= U32_MAX;
		if (ctx->rx.paused)
			status->read.state |= SO_CRYPT_STATE_REKEY;
	}
}

static int get_crypt(struct sock *sk, char __user *optval, int __user *optlen)
{
	struct so_crypt_status status = {};
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	lock_sock(sk);
	get_status(scr_context(sk), &status);
	release_sock(sk);
	len = min_t(unsigned int, len, sizeof(status));
	if (copy_to_user(optval, &status, len) || put_user(len, optlen))
		return -EFAULT;
	return 0;
}

int scr_getsockopt(struct sock *sk, int level, int optname,
		   char __user *optval, int __user *optlen)
{
	/* It takes bytes out of TCP's queue: pieces of frames. */
	if (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE &&
	    READ_ONCE(scr_context(sk)->rx.dir))
		return -EOPNOTSUPP;
	if (level != SOL_SO_CRYPT)
		return scr_context(sk)->base->getsockopt(sk, level, optname,
							 optval, optlen);
	if (optname != SO_CRYPT)
		return -ENOPROTOOPT;
	return get_crypt(sk, optval, optlen);
}
