/* SPDX-License-Identifier: GPL-2.0 */
/* Frames between sendmsg() and TCP. All under the socket's lock but as noted. */
#ifndef _SO_CRYPT_TX_H
#define _SO_CRYPT_TX_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct msghdr;
struct page;
struct scr_direction;
struct scr_record;
struct sock;
struct socket;

struct scr_tx {
	struct sock *sk;
	struct scr_direction *dir;	/* NULL: not armed */
	struct scr_record *open;	/* MSG_MORE: waits for more */
	struct list_head queue;		/* sealed or being sealed, in order */
	unsigned int queued;
	u32 bytes;			/* charged for them; read anywhere */
	int err;			/* stays */
	bool pushing;

	wait_queue_head_t wait;
	spinlock_t lock;	/* guards what follows; any context */
	unsigned int in_cipher;
	unsigned int wake_at;	/* in_cipher that `wait` is for */
	unsigned int in_mac;	/* of those, with the workqueue */
	struct list_head submit;	/* scr_record.submit, so many: */
	unsigned int to_submit;
	bool busy;		/* somebody is writing and will push */
	bool closing;
	struct delayed_work work;	/* pushes what the cipher finished */
};

void scr_tx_init(struct scr_tx *tx, struct sock *sk);
void scr_tx_sealed(struct scr_record *r, int err);
int scr_tx_queue(struct scr_tx *tx, struct scr_record *r, bool more);
int scr_tx_push(struct scr_tx *tx, bool more);
int scr_tx_flush(struct scr_tx *tx);
void scr_tx_wait_cipher(struct scr_tx *tx);
void scr_tx_wait_some(struct scr_tx *tx);
void scr_tx_enter(struct scr_tx *tx);
void scr_tx_leave(struct scr_tx *tx);
struct scr_record *scr_tx_new_record(struct scr_tx *tx, u32 capacity);
void scr_tx_drop(struct scr_tx *tx, struct scr_record *r);
void scr_tx_stop_work(struct scr_tx *tx);
void scr_tx_purge(struct scr_tx *tx);

/* spread.c */
bool scr_may_spread(const struct scr_tx *tx, const struct scr_record *r);
void scr_spread_seal(struct scr_tx *tx, struct scr_record *r);

/* send.c */
int scr_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int scr_sendpage(struct sock *sk, struct page *page, int offset, size_t size,
		 int flags);
void scr_splice_eof(struct socket *sock);
#endif
