// SPDX-License-Identifier: GPL-2.0
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "record.h"

static size_t request_size(const struct scr_direction *d)
{
	if (d->tfm.aead)
		return sizeof(struct aead_request) +
		       crypto_aead_reqsize(d->tfm.aead);
	if (d->tfm.skcipher)
		return sizeof(struct skcipher_request) +
		       crypto_skcipher_reqsize(d->tfm.skcipher);
	return 0;
}

/* A record with room for `capacity` bytes of payload. */
struct scr_record *scr_record_alloc(struct scr_direction *d, u32 capacity,
				    gfp_t gfp)
{
	const u32 size = capacity + scr_max_overhead(&d->layout);
	const size_t fixed = ALIGN(sizeof(struct scr_record),
				   CRYPTO_MINALIGN);
	const size_t request = ALIGN(request_size(d), CRYPTO_MINALIGN);
	struct scr_record *r;
	unsigned int entries;
	u8 *data;

	data = kvmalloc(size, gfp);
	if (!data)
		return NULL;
	entries = 1 + scr_sg_pages(data, size);
	r = kmalloc(fixed + request + entries * sizeof(struct scatterlist),
		    gfp);
	if (!r) {
		kvfree(data);
		return NULL;
	}
	memset(r, 0, fixed);
	r->request = (u8 *)r + fixed;
	r->sg = (void *)((u8 *)r + fixed + request);
	r->data = data;
	r->capacity = capacity;
	r->charged = size;
	return r;
}

void scr_record_free(struct scr_record *r)
{
	kvfree(r->data);
	kfree_sensitive(r);
}
