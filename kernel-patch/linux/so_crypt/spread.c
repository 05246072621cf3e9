// SPDX-License-Identifier: GPL-2.0
/*
 * Beside a device it is the MAC that takes the time, and any CPU can compute it.
 * What has its MAC waits until some can go to the device together: while it
 * works on the first nobody has to tell it of the others, and it interrupts less.
 */
#include <linux/cpumask.h>
#include "module.h"
#include "record.h"
#include "tx.h"

/* Payload for which waking another CPU pays. */
#define MIN_PAYLOAD	1024

/* Records that go to the device together, of its depth. */
#define SHARE	4

/* A record that nothing is in front of is faster without. */
bool scr_may_spread(const struct scr_tx *tx, const struct scr_record *r)
{
	const struct scr_direction *d = tx->dir;

	return READ_ONCE(scr_spread) && d->async && d->mac && d->depth > 1 &&
	       !scr_is_serial(d) &&
	       d->layout.order != SCR_ORDER_ENCRYPT_THEN_MAC &&
	       r->payload >= MIN_PAYLOAD && tx->queued > 1 &&
	       num_online_cpus() > 1;
}

/* tx is not touched behind the last of them: it may be gone. */
static void submit_all(struct list_head *records)
{
	struct scr_record *r, *next;

	list_for_each_entry_safe(r, next, records, submit) {
		const int err = r->err ?: scr_seal_encrypt(r->tx->dir, r);

		if (err != -EINPROGRESS && err != -EBUSY)
			scr_tx_sealed(r, err);
	}
}

static void authenticate(struct work_struct *w)
{
	struct scr_record *r = container_of(w, struct scr_record, work);
	struct scr_tx *tx = r->tx;
	LIST_HEAD(records);

	r->err = scr_seal_mac(tx->dir, r);
	spin_lock_irq(&tx->lock);
	list_add_tail(&r->submit, &tx->submit);
	tx->to_submit++;
	tx->in_mac--;
	/* Who comes last takes all, so none is left behind. */
	if (!tx->in_mac || tx->to_submit >= tx->dir->depth / SHARE) {
		list_splice_init(&tx->submit, &records);
		tx->to_submit = 0;
	}
	spin_unlock_irq(&tx->lock);
	submit_all(&records);
}

/* scr_tx_sealed() follows. */
void scr_spread_seal(struct scr_tx *tx, struct scr_record *r)
{
	spin_lock_irq(&tx->lock);
	tx->in_mac++;
	spin_unlock_irq(&tx->lock);
	INIT_WORK(&r->work, authenticate);
	queue_work(scr_mac_workqueue, &r->work);
}
