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

/* What opening a frame at `frame` takes, which stays the caller's. */
struct scr_opening *scr_opening_alloc(struct scr_direction *d, u8 *frame,
				      u32 len, gfp_t gfp)
{
	const size_t fixed = ALIGN(sizeof(struct scr_opening),
				   CRYPTO_MINALIGN);
	const size_t request = ALIGN(request_size(d), CRYPTO_MINALIGN);
	const unsigned int entries = 1 + scr_sg_pages(frame, len);
	struct scr_opening *o;

	o = kmalloc(fixed + request + entries * sizeof(struct scatterlist),
		    gfp);
	if (!o)
		return NULL;
	memset(o, 0, fixed);
	crypto_init_wait(&o->wait);
	o->request = (u8 *)o + fixed;
	o->sg = (void *)((u8 *)o + fixed + request);
	o->frame = frame;
	o->len = len;
	return o;
}
