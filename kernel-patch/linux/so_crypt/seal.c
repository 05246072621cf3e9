// SPDX-License-Identifier: GPL-2.0
/* From a record's payload, which is in its place already, to a frame. */
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/random.h>
#include <linux/string.h>
#include "compat.h"
#include "mac.h"
#include "record.h"
#include "ssh_chacha.h"
#include "tx.h"

static void sealed(SCR_COMPLETION_ARG arg, int err)
{
	struct scr_record *r = SCR_COMPLETION_DATA(arg);

	if (err != -EINPROGRESS)	/* else: it left the backlog */
		scr_tx_sealed(r, err);
}

static int submit(struct scr_direction *d, struct scr_record *r, u32 assoc_len)
{
	const u32 flags = CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP;
	const u32 start = d->layout.crypt_start, len = r->crypt_end - start;
	u8 *data = r->data + start;

	if (d->tfm.aead) {
		aead_request_set_tfm(r->request, d->tfm.aead);
		aead_request_set_callback(r->request, flags, sealed, r);
		scr_sg_init(r->sg, r->assoc, assoc_len, data,
			    len + d->layout.tag);
		aead_request_set_ad(r->request, assoc_len);
		aead_request_set_crypt(r->request, r->sg, r->sg, len, r->iv);
		return crypto_aead_encrypt(r->request);
	}
	skcipher_request_set_tfm(r->request, d->tfm.skcipher);
	skcipher_request_set_callback(r->request, flags, sealed, r);
	scr_sg_init(r->sg, NULL, 0, data, len);
	skcipher_request_set_crypt(r->request, r->sg, r->sg, len, r->iv);
	return crypto_skcipher_encrypt(r->request);
}

/* Header, prefix, inner type and padding. Sets where encryption ends. */
static void frame(const struct scr_direction *d, struct scr_record *r)
{
	const struct scr_layout *l = &d->layout;
	const bool mac_inside = l->order == SCR_ORDER_MAC_THEN_ENCRYPT;
	const u32 offset = scr_payload_offset(l);
	const u32 padding = scr_padding_of(l, r->payload);
	u8 *end = r->data + offset + r->payload;

	if (l->inner_type)
		*end++ = r->type;
	if (mac_inside)
		end += l->tag;
	if (l->padding == SCR_PADDING_TLS) {
		memset(end, padding - 1, padding);
	} else if (l->padding == SCR_PADDING_SSH) {
		r->data[l->header_len] = padding;
		get_random_bytes(end, padding);
	}
	r->crypt_end = end + padding - r->data;
	r->len = r->crypt_end + (mac_inside ? 0 : l->tag);

	memcpy(r->data, l->header, l->header_len);
	if (l->type_offset >= 0 && !l->inner_type)
		r->data[l->type_offset] = r->type;
	scr_put_be(r->data + l->length_offset, r->len - l->length_bias,
		   l->length_size);
}

static int put_mac(struct scr_direction *d, struct scr_record *r, u32 from,
		   u32 to)
{
	const struct scr_layout *l = &d->layout;
	u8 mac[SCR_MAX_TAG];
	u32 n;
	int err;

	n = scr_build_assoc(l, r->data, r->sequence, to - from, r->assoc);
	err = scr_hmac(d->hmac, r->assoc, n, r->data + from, to - from, mac);
	memcpy(r->data + to, mac, l->tag);
	return err;
}

/* Takes the next sequence number and IV, in the order of the frames. */
void scr_seal_prepare(struct scr_direction *d, struct scr_record *r)
{
	frame(d, r);
	r->sequence = d->sequence;
	scr_write_explicit_iv(d, r->data + d->layout.header_len);
	scr_build_iv(d, r->data + d->layout.header_len, r->iv);
	if (!scr_is_serial(d))
		scr_advance(d, r->crypt_end - d->layout.crypt_start, NULL);
}

/*
 * The two halves of sealing, one behind the other; scr_seal_finish() must
 * follow. What the record holds is all that they need, so they may run anywhere.
 */
int scr_seal_mac(struct scr_direction *d, struct scr_record *r)
{
	const u32 offset = scr_payload_offset(&d->layout);

	switch (d->layout.order) {
	case SCR_ORDER_MAC_THEN_ENCRYPT:
		return put_mac(d, r, offset, offset + r->payload);
	case SCR_ORDER_MAC_AND_ENCRYPT:
		return put_mac(d, r, d->layout.header_len, r->crypt_end);
	}
	return 0;
}

/* 0: the cipher is done, -EINPROGRESS or -EBUSY: scr_tx_sealed() tells. */
int scr_seal_encrypt(struct scr_direction *d, struct scr_record *r)
{
	const struct scr_layout *l = &d->layout;
	u32 assoc_len = 0;

	if (l->order == SCR_ORDER_AEAD)
		assoc_len = scr_build_assoc(l, r->data, r->sequence,
					    r->crypt_end - l->crypt_start,
					    r->assoc);
	if (d->chacha) {
		scr_ssh_chacha_seal(d->chacha, r->sequence, r->data,
				    r->crypt_end);
		return 0;
	}
	return submit(d, r, assoc_len);
}

/* In the order of the frames, once the cipher is done. May sleep. */
int scr_seal_finish(struct scr_direction *d, struct scr_record *r)
{
	if (scr_is_serial(d))
		scr_advance(d, 0,
			    r->data + r->crypt_end - d->cipher->block);
	if (d->layout.order == SCR_ORDER_ENCRYPT_THEN_MAC)
		return put_mac(d, r, d->layout.header_len, r->crypt_end);
	return 0;
}
