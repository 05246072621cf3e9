// SPDX-License-Identifier: GPL-2.0
/* Gathers frames from TCP's queue and opens them, in order. */
#include <linux/slab.h>
#include <net/tcp.h>
#include "compat.h"
#include "context.h"
#include "module.h"
#include "rx.h"

struct gather {
	u8 *to;		/* NULL: nowhere */
	u32 left;
};

static int gather_some(read_descriptor_t *desc, struct sk_buff *skb,
		       unsigned int offset, size_t len)
{
	struct gather *g = desc->arg.data;
	const u32 n = min_t(size_t, len, g->left);

	if (g->to) {
		if (n && skb_copy_bits(skb, offset, g->to, n))
			return -EFAULT;
		g->to += n;
	}
	g->left -= n;
	desc->count = g->left;
	return n;
}

/* Bytes from TCP's queue behind those that are here, up to `want` in all. */
static void gather(struct scr_rx *rx, u8 *base, u32 want)
{
	struct gather g = { .to = base + rx->have, .left = want - rx->have };
	read_descriptor_t desc = { .arg.data = &g, .count = g.left };

	if (!g.left || tcp_inq(rx->sk) <= 0)
		return;
	tcp_read_sock(rx->sk, &desc, gather_some);
	rx->have = want - g.left;
}

/* The limit is reached: a read tells, and nothing is taken. */
static bool is_expired(const struct scr_rx *rx)
{
	return rx->dir && !rx->paused && !scr_may_go_on(rx->dir);
}

static bool is_idle(const struct scr_rx *rx)
{
	return rx->opened || rx->paused || rx->err || rx->closing ||
	       !rx->dir || is_expired(rx);
}

/*
 * SSH with CBC and an encrypted length: where a forged packet is refused would
 * tell its length, which is plaintext (Albrecht, Paterson and Watson 2009). So as
 * much is swallowed as the longest packet has, as OpenSSH does.
 */
static bool hides_failure(const struct scr_rx *rx)
{
	return rx->dir->layout.hidden_length && scr_is_serial(rx->dir);
}

static void swallow(struct scr_rx *rx)
{
	struct gather g = { .left = rx->discard };
	read_descriptor_t desc = { .arg.data = &g, .count = g.left };

	if (tcp_inq(rx->sk) > 0)
		tcp_read_sock(rx->sk, &desc, gather_some);
	rx->discard = g.left;
	if (!rx->discard)
		rx->err = -EBADMSG;
}

/* Frames that were started are of no use any more: the cipher may still be. */
static void drop_ahead(struct scr_rx *rx)
{
	struct scr_opening *o, *next;

	list_for_each_entry_safe(o, next, &rx->ahead, list) {
		scr_open_finish(rx->dir, o, NULL);
		list_del(&o->list);
		kvfree(o->frame);
		kfree_sensitive(o);
	}
}

/* taken: bytes of the frame that is wrong */
static int fail(struct scr_rx *rx, int err, u32 taken)
{
	drop_ahead(rx);
	if (hides_failure(rx) && (err == -EBADMSG || err == -EMSGSIZE)) {
		rx->discard = rx->dir->layout.max_frame - taken;
		swallow(rx);
		return rx->err;
	}
	rx->err = err;
	return err;
}

/*
 * Looks how far the next frame is and sets rx->ready. In softirq context, too.
 */
static void check(struct scr_rx *rx)
{
	bool ready = rx->opened || rx->err || is_expired(rx) ||
		     !list_empty(&rx->ahead);

	rx->whole = false;
	if (rx->discard) {
		swallow(rx);
		ready = rx->err;
	} else if (!is_idle(rx)) {
		const u32 peek = rx->dir->layout.peek;

		if (!rx->frame_len && !rx->bad && rx->have < peek)
			gather(rx, rx->head, peek);
		if (!rx->frame_len && !rx->bad && rx->have >= peek) {
			const int len = scr_frame_length(rx->dir, rx->head);

			if (len < 0)
				rx->bad = len;
			else
				rx->frame_len = len;
		}
		rx->whole = rx->bad || (rx->frame_len && rx->have +
					tcp_inq(rx->sk) >= rx->frame_len);
		ready |= rx->whole;
	}
	WRITE_ONCE(rx->ready, ready);
}

/* Makes room for the whole frame and takes what there is of it. */
static int take_frame(struct scr_rx *rx)
{
	if (!rx->in_frame) {
		if (rx->room < rx->frame_len) {
			kvfree(rx->frame);
			rx->room = 0;
			rx->frame = kvmalloc(rx->frame_len,
					     GFP_KERNEL_ACCOUNT);
			if (!rx->frame)
				return -ENOMEM;
			rx->room = rx->frame_len;
		}
		memcpy(rx->frame, rx->head, rx->have);
		rx->in_frame = true;
	}
	gather(rx, rx->frame, rx->frame_len);
	return 0;
}

/*
 * What is missing of a frame may never come while TCP has no room for it: only
 * we can free some. A window below half is one that a sender may not use.
 */
static bool is_stuck(struct scr_rx *rx)
{
	struct sock *sk = rx->sk;
	const int queued = tcp_inq(sk);
	u32 window;

	if (is_idle(rx) || rx->ready || rx->discard || !rx->frame_len ||
	    queued <= 0)
		return false;
	window = tcp_receive_window(tcp_sk(sk));
	return rx->frame_len - rx->have - queued > window ||
	       window < tcp_full_space(sk) / 2 ||
	       tcp_epollin_ready(sk, INT_MAX);
}

/* The same, and makes room in TCP where that is needed. May sleep. */
void scr_rx_look(struct scr_rx *rx)
{
	check(rx);
	if (is_stuck(rx) && !take_frame(rx))
		check(rx);
}

static void work(struct work_struct *w)
{
	struct scr_rx *rx = container_of(w, struct scr_rx, work);
	struct sock *sk = rx->sk;

	lock_sock(sk);
	scr_rx_look(rx);
	if (rx->ready)
		container_of(rx, struct scr_context, rx)->base_data_ready(sk);
	release_sock(sk);
}

/* TCP has received something. The lock is held, mostly in softirq context. */
void scr_rx_data_ready(struct sock *sk)
{
	struct scr_context *ctx = scr_context(sk);
	struct scr_rx *rx = &ctx->rx;

	if (rx->dir) {
		check(rx);
		if (!rx->ready && !sock_flag(sk, SOCK_DONE)) {
			if (is_stuck(rx))
				queue_work(scr_workqueue, &rx->work);
			return;
		}
	}
	ctx->base_data_ready(sk);
}

static bool is_data(const struct scr_rx *rx, const u8 *frame)
{
	return frame[rx->dir->layout.type_offset] == SCR_TYPE_DATA;
}

/*
 * Whether frames may be started before those in front are open. Not where one
 * of these may say that the keys change behind it: in TLS 1.2 and before that
 * is a record of another type, which everybody can see. In TLS 1.3 and SSH
 * nobody can, and of own layouts nothing is known.
 */
static bool looks_ahead(const struct scr_rx *rx)
{
	const struct scr_direction *d = rx->dir;

	return d->async && rx->unopened < d->depth &&
	       d->protocol <= SO_CRYPT_TLS_1_2 &&
	       is_data(rx, list_last_entry(&rx->ahead, struct scr_opening,
					   list)->frame);
}

/* 1: another frame is with the cipher, 0: none is whole, or an error. */
static int start_one(struct scr_rx *rx)
{
	const bool behind = !list_empty(&rx->ahead);
	struct scr_opening *o;
	int err;

	/* Not even its length is looked at. */
	if (behind && !looks_ahead(rx))
		return 0;
	scr_rx_look(rx);
	if (!rx->whole || rx->bad)
		return rx->bad;
	if (behind && !is_data(rx, rx->in_frame ? rx->frame : rx->head))
		return 0;
	err = take_frame(rx);
	if (err)
		return err;
	if (rx->have < rx->frame_len)	/* urgent data in between */
		return 0;
	o = scr_opening_alloc(rx->dir, rx->frame, rx->frame_len,
			      GFP_KERNEL_ACCOUNT);
	if (!o)
		return -ENOMEM;
	o->room = rx->room;
	rx->frame = NULL;
	rx->room = 0;
	rx->have = 0;
	rx->frame_len = 0;
	rx->in_frame = false;
	list_add_tail(&o->list, &rx->ahead);
	rx->unopened++;
	scr_open_start(rx->dir, o);
	return 1;
}

/* 1: a frame is open, 0: none is whole yet, or an error. May sleep. */
int scr_rx_next(struct scr_rx *rx)
{
	struct scr_opening *o;
	int err;

	if (rx->opened)
		return 1;
	if (rx->err)
		return rx->err;
	if (list_empty(&rx->ahead) && (rx->paused || is_expired(rx)))
		return -EKEYEXPIRED;
	do
		err = start_one(rx);
	while (err > 0);
	/* An error has its turn behind the frames in front of it. */
	o = list_first_entry_or_null(&rx->ahead, struct scr_opening, list);
	if (!o) {
		if (rx->err || !rx->bad)
			return rx->err ?: err;
		return fail(rx, rx->bad, rx->have);
	}
	err = scr_open_finish(rx->dir, o, &rx->plain);
	if (err)
		return fail(rx, err, o->len);
	list_del(&o->list);
	rx->unopened--;
	rx->current_frame = o;
	rx->opened = true;
	rx->paused = scr_changes_keys(&rx->messages, rx->dir, rx->plain.type,
				      scr_rx_text(rx), rx->plain.len);
	return 1;
}

/* The opened frame is read. Its memory may take the next one. */
void scr_rx_done(struct scr_rx *rx)
{
	struct scr_opening *o = rx->current_frame;

	rx->opened = false;
	rx->current_frame = NULL;
	if (rx->frame) {
		kvfree(o->frame);
	} else {
		rx->frame = o->frame;
		rx->room = o->room;
	}
	kfree_sensitive(o);
}

/* An idle connection keeps no frame. */
void scr_rx_free_idle(struct scr_rx *rx)
{
	if (rx->in_frame)
		return;
	kvfree(rx->frame);
	rx->frame = NULL;
	rx->room = 0;
}

void scr_rx_init(struct scr_rx *rx, struct sock *sk)
{
	rx->sk = sk;
	INIT_LIST_HEAD(&rx->ahead);
	INIT_WORK(&rx->work, work);
}

void scr_rx_purge(struct scr_rx *rx)
{
	drop_ahead(rx);
	if (rx->opened)
		scr_rx_done(rx);
	kvfree(rx->frame);
	rx->frame = NULL;
	scr_direction_free(rx->dir);
	rx->dir = NULL;
}
