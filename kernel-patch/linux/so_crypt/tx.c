// SPDX-License-Identifier: GPL-2.0
/*
 * Records in the cipher, several at a time, and their way to TCP in order.
 *
 * A frame is handed to TCP whole, whatever SO_SNDBUF says: what was taken from
 * the application must not be cut. The limit is kept where new bytes are taken,
 * see scr_stream_memory_free(), so it is passed by one frame at most.
 */
#include <linux/uio.h>
#include <net/tcp.h>
#include "compat.h"
#include "module.h"
#include "record.h"
#include "tx.h"

/* TCP had no memory for a frame. */
#define RETRY	(HZ / 50 + 1)

/* The work pushes so many at a time, or what there is when the cipher rests. */
#define BATCH	8

/* The cipher is done with a record. In any context, without the lock. */
void scr_tx_sealed(struct scr_record *r, int err)
{
	struct scr_tx *tx = r->tx;
	unsigned long flags;

	/* Under the lock to the end: scr_tx_wait_cipher() frees behind it. */
	spin_lock_irqsave(&tx->lock, flags);
	r->err = err;
	smp_store_release(&r->done, true);	/* with scr_tx_push() */
	tx->in_cipher--;
	if (tx->in_cipher <= tx->wake_at)
		wake_up(&tx->wait);
	/* Each run costs two context switches and the socket's lock. */
	if (!tx->closing && !tx->busy && !(tx->in_cipher % BATCH))
		mod_delayed_work(scr_workqueue, &tx->work, 0);
	spin_unlock_irqrestore(&tx->lock, flags);
}

/* Until no record is in the cipher, which needs nothing of us. */
void scr_tx_wait_cipher(struct scr_tx *tx)
{
	spin_lock_irq(&tx->lock);
	tx->wake_at = 0;
	wait_event_lock_irq(tx->wait, !tx->in_cipher, tx->lock);
	spin_unlock_irq(&tx->lock);
}

/*
 * Until the first record of the queue can go, and half of the others, too: who
 * wakes up for each one spends more time on that than on the record.
 */
void scr_tx_wait_some(struct scr_tx *tx)
{
	struct scr_record *r = list_first_entry(&tx->queue, struct scr_record,
						list);

	spin_lock_irq(&tx->lock);
	tx->wake_at = tx->dir->depth / 2;
	wait_event_lock_irq(tx->wait, r->done && tx->in_cipher <= tx->wake_at,
			    tx->lock);
	spin_unlock_irq(&tx->lock);
}

/* From here on the caller pushes what the cipher finishes, not the work. */
void scr_tx_enter(struct scr_tx *tx)
{
	spin_lock_irq(&tx->lock);
	tx->busy = true;
	spin_unlock_irq(&tx->lock);
}

/* The work again, also for what was finished since the last push. */
void scr_tx_leave(struct scr_tx *tx)
{
	const struct scr_record *r;
	int err;

	do {
		err = scr_tx_push(tx, false);
		r = list_first_entry_or_null(&tx->queue, struct scr_record,
					     list);
		spin_lock_irq(&tx->lock);
		tx->busy = !err && r && r->done;
		spin_unlock_irq(&tx->lock);
	} while (tx->busy);
}

struct scr_record *scr_tx_new_record(struct scr_tx *tx, u32 capacity)
{
	struct sock *sk = tx->sk;
	struct scr_record *r;

	r = scr_record_alloc(tx->dir, capacity, sk->sk_allocation);
	if (!r)
		return NULL;
	if (!sk_wmem_schedule(sk, r->charged)) {
		scr_record_free(r);
		return NULL;
	}
	sk_mem_charge(sk, r->charged);
	WRITE_ONCE(tx->bytes, tx->bytes + r->charged);
	r->tx = tx;
	return r;
}

void scr_tx_drop(struct scr_tx *tx, struct scr_record *r)
{
	sk_mem_uncharge(tx->sk, r->charged);
	WRITE_ONCE(tx->bytes, tx->bytes - r->charged);
	scr_record_free(r);
}

/* TCP can take no more: the reason goes where it would look for it. */
static void lose_connection(struct scr_tx *tx, int err)
{
	if (err != -EPIPE && !tx->sk->sk_err)
		WRITE_ONCE(tx->sk->sk_err, -err);
	tx->err = -EPIPE;
}

static int hand_over(struct scr_tx *tx, struct scr_record *r, bool more)
{
	struct sock *sk = tx->sk;
	const int sndbuf = READ_ONCE(sk->sk_sndbuf);
	int n = 0;

	tx->pushing = true;
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	while (r->sent < r->len) {
		struct msghdr msg = {
			.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL |
				     (more ? MSG_MORE : 0),
		};
		struct kvec vec = {
			.iov_base = r->data + r->sent,
			.iov_len = r->len - r->sent,
		};

		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
		n = tcp_sendmsg_locked(sk, &msg, vec.iov_len);
		if (n <= 0)
			break;
		r->sent += n;
	}
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	tx->pushing = false;
	return n < 0 ? n : 0;
}

/*
 * Hands what the cipher has finished to TCP. more: other frames follow at once.
 * 0, -EAGAIN when TCP has no memory (the work tries again), or what stays.
 */
int scr_tx_push(struct scr_tx *tx, bool more)
{
	struct scr_record *r;
	int err = 0;

	while ((r = list_first_entry_or_null(&tx->queue, struct scr_record,
					     list))) {
		if (!smp_load_acquire(&r->done))	/* scr_tx_sealed() */
			break;
		if (!tx->err && !r->finished) {
			r->finished = true;
			if (r->err || scr_seal_finish(tx->dir, r))
				tx->err = -EIO;
		}
		if (!tx->err) {
			err = hand_over(tx, r, more ||
					!list_is_last(&r->list, &tx->queue));
			if (err == -EAGAIN) {
				if (!tx->closing)
					mod_delayed_work(scr_workqueue,
							 &tx->work, RETRY);
				return err;
			}
			if (err)
				lose_connection(tx, err);
		}
		list_del(&r->list);
		tx->queued--;
		scr_tx_drop(tx, r);
	}
	return tx->err;
}

static void work(struct work_struct *w)
{
	struct scr_tx *tx = container_of(to_delayed_work(w), struct scr_tx,
					 work);
	struct sock *sk = tx->sk;

	lock_sock(sk);
	scr_tx_push(tx, false);
	if (tx->err && tx->err != -EPIPE && !sk->sk_err) {
		/* Nobody may be in a system call: tell by POLLERR. */
		WRITE_ONCE(sk->sk_err, -tx->err);
		sk_error_report(sk);
	}
	release_sock(sk);
}

/* Seals a record and queues it; a frame that is done at once goes to TCP. */
int scr_tx_queue(struct scr_tx *tx, struct scr_record *r, bool more)
{
	int err;

	spin_lock_irq(&tx->lock);
	tx->in_cipher++;
	spin_unlock_irq(&tx->lock);
	list_add_tail(&r->list, &tx->queue);
	tx->queued++;
	scr_seal_prepare(tx->dir, r);
	if (scr_may_spread(tx, r)) {
		scr_spread_seal(tx, r);
		err = -EINPROGRESS;
	} else {
		err = scr_seal_mac(tx->dir, r) ?: scr_seal_encrypt(tx->dir, r);
	}
	if (err != -EINPROGRESS && err != -EBUSY) {
		r->err = err;
		r->done = true;
		spin_lock_irq(&tx->lock);
		tx->in_cipher--;
		spin_unlock_irq(&tx->lock);
	}
	/* With a depth of 1, too: the write sleeps as long as the device works. */
	if (scr_is_serial(tx->dir) || tx->dir->depth == 1)
		scr_tx_wait_cipher(tx);
	err = scr_tx_push(tx, more);
	return err == -EAGAIN ? 0 : err;
}

/* All that was taken so far goes to TCP, also a record that waits for more. */
int scr_tx_flush(struct scr_tx *tx)
{
	unsigned int tries = 50;
	int err = 0;

	if (!tx->dir)
		return 0;
	if (tx->open) {
		struct scr_record *r = tx->open;

		tx->open = NULL;
		err = scr_tx_queue(tx, r, false);
	}
	scr_tx_wait_cipher(tx);
	while ((err = scr_tx_push(tx, false)) == -EAGAIN && tries--) {
		schedule_timeout_uninterruptible(RETRY);
		/* What the peer has acknowledged meanwhile is free then. */
		sk_flush_backlog(tx->sk);
	}
	return err;
}

void scr_tx_init(struct scr_tx *tx, struct sock *sk)
{
	tx->sk = sk;
	INIT_LIST_HEAD(&tx->queue);
	INIT_LIST_HEAD(&tx->submit);
	init_waitqueue_head(&tx->wait);
	spin_lock_init(&tx->lock);
	INIT_DELAYED_WORK(&tx->work, work);
}

/* Before close() takes the lock: the work takes it, too. */
void scr_tx_stop_work(struct scr_tx *tx)
{
	spin_lock_irq(&tx->lock);
	tx->closing = true;
	spin_unlock_irq(&tx->lock);
	cancel_delayed_work_sync(&tx->work);
}

void scr_tx_purge(struct scr_tx *tx)
{
	struct scr_record *r, *next;

	scr_tx_wait_cipher(tx);
	if (tx->open)
		scr_tx_drop(tx, tx->open);
	tx->open = NULL;
	list_for_each_entry_safe(r, next, &tx->queue, list) {
		list_del(&r->list);
		scr_tx_drop(tx, r);
	}
	tx->queued = 0;
	scr_direction_free(tx->dir);
	tx->dir = NULL;
}
