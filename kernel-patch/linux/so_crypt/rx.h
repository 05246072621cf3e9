/* SPDX-License-Identifier: GPL-2.0 */
/* Frames between TCP and recvmsg(). All under the socket's lock but as noted. */
#ifndef _SO_CRYPT_RX_H
#define _SO_CRYPT_RX_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include "key_change.h"
#include "record.h"

struct scr_direction;

struct scr_rx {
	struct sock *sk;
	struct scr_direction *dir;	/* NULL: not armed */

	/*
	 * The frame that is coming. A whole one waits in TCP's queue until it
	 * is read; only its first bytes are here, in head.
	 */
	u8 head[SCR_MAX_PEEK];
	u8 *frame;
	u32 room;			/* bytes at frame */
	u32 have;			/* bytes in head or frame */
	bool in_frame;			/* they are in frame */
	u32 frame_len;			/* 0: not known yet */
	int bad;			/* what is wrong with its length */
	u32 discard;			/* bytes to swallow before EBADMSG */

	/*
	 * Frames that are with the cipher or behind it, in order. More than
	 * one only where what is in them can't change the keys.
	 */
	struct list_head ahead;
	u32 unopened;			/* started, but not opened */

	/* The frame that was opened last, its rest. */
	bool opened;
	struct scr_opening *current_frame;
	struct scr_opened plain;
	struct scr_messages messages;	/* under these keys */

	bool whole;			/* the frame that is coming is here */
	bool ready;			/* a read would give something; any context */
	bool closing;
	bool paused;			/* until SO_CRYPT_REKEY */
	int err;			/* stays */
	unsigned int waiting;		/* readers */
	struct work_struct work;	/* takes a frame that TCP has no room for */
};

void scr_rx_init(struct scr_rx *rx, struct sock *sk);
void scr_rx_data_ready(struct sock *sk);
void scr_rx_look(struct scr_rx *rx);
int scr_rx_next(struct scr_rx *rx);
void scr_rx_done(struct scr_rx *rx);

static inline const u8 *scr_rx_text(const struct scr_rx *rx)
{
	return rx->current_frame->frame + rx->plain.offset;
}

/* What has left TCP's queue, which it looks at when it is closed. */
static inline bool scr_rx_has_unread(const struct scr_rx *rx)
{
	return rx->have || rx->opened || !list_empty(&rx->ahead);
}

void scr_rx_free_idle(struct scr_rx *rx);
void scr_rx_purge(struct scr_rx *rx);

/* recv.c */
struct msghdr;
int scr_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags,
		int *addr_len);
#endif
