// SPDX-License-Identifier: GPL-2.0
/* From a whole frame to its payload, verified, in place. */
#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/algapi.h>
#include <crypto/skcipher.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "mac.h"
#include "record.h"
#include "ssh_chacha.h"

/* Bytes of a frame that go through the cipher, an AEAD tag not counted. */
static u32 crypted_length(const struct scr_layout *l, u32 len)
{
	if (l->order != SCR_ORDER_MAC_THEN_ENCRYPT)
		len -= l->tag;
	return len - l->crypt_start;
}

/* The first bytes in plain, where the length is hidden. */
static const u8 *reveal(const struct scr_direction *d, const u8 *head, u8 *out)
{
	u8 iv[SO_CRYPT_MAX_IV];

	if (!d->layout.hidden_length)
		return head;
	if (d->chacha) {
		scr_ssh_chacha_length(d->chacha, d->sequence, head, out);
		return out;
	}
	scr_build_iv(d, NULL, iv);
	if (d->cipher->mode == SCR_MODE_CBC) {
		aes_decrypt(d->peek, out, head);
		crypto_xor(out, iv, AES_BLOCK_SIZE);
	} else {
		aes_encrypt(d->peek, out, iv);
		crypto_xor(out, head, AES_BLOCK_SIZE);
	}
	return out;
}

/*
 * A frame's length from its first layout.peek bytes, or an error. Any context.
 */
int scr_frame_length(const struct scr_direction *d, const u8 *head)
{
	const struct scr_layout *l = &d->layout;
	u8 plain[SCR_MAX_PEEK];
	u64 length;
	u32 i;

	head = reveal(d, head, plain);
	for (i = 0; i < l->header_len; i++) {
		const u32 in_length = i - l->length_offset;

		if (in_length < l->length_size)
			continue;
		if (i == l->type_offset && !l->inner_type) {
			if (head[i] < SCR_TYPE_FIRST || head[i] > SCR_TYPE_LAST)
				return -EBADMSG;
		} else if (head[i] != l->header[i]) {
			return -EBADMSG;
		}
	}
	length = scr_get_be(head + l->length_offset, l->length_size) +
		 l->length_bias;
	if (length > l->max_frame)
		return -EMSGSIZE;
	if (length < l->min_frame)
		return -EBADMSG;
	if (crypted_length(l, length) % l->block)
		return -EBADMSG;
	return length;
}

/* Begins one cipher operation. */
static int submit(struct scr_direction *d, struct scr_opening *o, u32 assoc_len,
		  u32 len)
{
	const u32 flags = CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP;
	u8 *data = o->frame + d->layout.crypt_start;

	if (d->tfm.aead) {
		scr_sg_init(o->sg, o->assoc, assoc_len, data, len);
		aead_request_set_tfm(o->request, d->tfm.aead);
		aead_request_set_callback(o->request, flags, crypto_req_done,
					  &o->wait);
		aead_request_set_ad(o->request, assoc_len);
		aead_request_set_crypt(o->request, o->sg, o->sg, len, o->iv);
		return crypto_aead_decrypt(o->request);
	}
	scr_sg_init(o->sg, NULL, 0, data, len);
	skcipher_request_set_tfm(o->request, d->tfm.skcipher);
	skcipher_request_set_callback(o->request, flags, crypto_req_done,
				      &o->wait);
	skcipher_request_set_crypt(o->request, o->sg, o->sg, len, o->iv);
	return crypto_skcipher_decrypt(o->request);
}

static int verify_mac(struct scr_direction *d, u64 sequence, const u8 *header,
		      const u8 *data, u32 len, const u8 *tag)
{
	u8 assoc[SCR_MAX_ASSOC], mac[SCR_MAX_TAG];
	u32 n;
	int err;

	n = scr_build_assoc(&d->layout, header, sequence, len, assoc);
	err = scr_hmac(d->hmac, assoc, n, data, len, mac);
	if (!err && crypto_memneq(mac, tag, d->layout.tag))
		err = -EBADMSG;
	return err;
}

/* The MAC behind the ciphertext or, with MAC-and-encrypt, the decrypted text. */
static int verify_last(struct scr_direction *d, const struct scr_opening *o)
{
	const struct scr_layout *l = &d->layout;
	const u32 end = l->crypt_start + crypted_length(l, o->len);

	return verify_mac(d, o->sequence, o->frame, o->frame + l->header_len,
			  end - l->header_len, o->frame + end);
}

static int start_aead(struct scr_direction *d, struct scr_opening *o)
{
	const struct scr_layout *l = &d->layout;
	const u32 text = o->len - l->crypt_start;
	u32 n;

	if (d->chacha)
		return scr_ssh_chacha_open(d->chacha, o->sequence, o->frame,
					   o->len - l->tag) ? 0 : -EBADMSG;
	n = scr_build_assoc(l, o->frame, o->sequence, text - l->tag, o->assoc);
	return submit(d, o, n, text);
}

static int start(struct scr_direction *d, struct scr_opening *o)
{
	const struct scr_layout *l = &d->layout;
	int err = 0;

	if (l->order == SCR_ORDER_AEAD)
		return start_aead(d, o);
	if (l->order == SCR_ORDER_ENCRYPT_THEN_MAC)
		err = verify_last(d, o);
	return err ?: submit(d, o, 0, crypted_length(l, o->len));
}

/*
 * Gives a frame to the cipher. The next one may be started before this one is
 * finished, but they are finished in the same order, each of them.
 */
void scr_open_start(struct scr_direction *d, struct scr_opening *o)
{
	const u32 crypted = crypted_length(&d->layout, o->len);
	u8 last_block[SO_CRYPT_MAX_IV] = {};

	o->sequence = d->sequence;
	scr_build_iv(d, o->frame + d->layout.header_len, o->iv);
	if (scr_is_serial(d))	/* it is decrypted in place */
		memcpy(last_block, o->frame + d->layout.crypt_start + crypted -
		       d->cipher->block, d->cipher->block);
	o->err = start(d, o);
	scr_advance(d, crypted, last_block);
}

/* RFC 8446 5.2: zeros behind the content type. */
static int strip_inner_type(const struct scr_layout *l, const u8 *frame,
			    struct scr_opened *out)
{
	/* RFC 8446 5.4: with its padding, too */
	if (out->len > l->max_plain + 1)
		return -EMSGSIZE;
	while (out->len && !frame[out->offset + out->len - 1])
		out->len--;
	if (!out->len)
		return -EBADMSG;
	out->type = frame[out->offset + --out->len];
	return out->type >= SCR_TYPE_ALERT && out->type <= SCR_TYPE_LAST ?
	       0 : -EBADMSG;
}

static int strip_ssh_padding(const struct scr_layout *l, const u8 *frame,
			     struct scr_opened *out)
{
	const u8 padding = frame[l->header_len];

	if (padding < 4 || padding >= out->len)
		return -EBADMSG;
	out->len -= padding;
	return 0;
}

/* The padding of what a MAC has verified: no secret any more. */
static int strip_tls_padding(const u8 *frame, struct scr_opened *out)
{
	const u8 padding = frame[out->offset + out->len - 1];
	u32 i;

	if (padding >= out->len)
		return -EBADMSG;
	for (i = 0; i <= padding; i++)
		if (frame[out->offset + out->len - 1 - i] != padding)
			return -EBADMSG;
	out->len -= padding + 1;
	return 0;
}

static int strip(struct scr_direction *d, const struct scr_opening *o,
		 struct scr_opened *out)
{
	const struct scr_layout *l = &d->layout;
	u8 *frame = o->frame;

	if (l->order == SCR_ORDER_MAC_THEN_ENCRYPT &&
	    l->padding == SCR_PADDING_TLS)
		return scr_open_mte(d, o->sequence, frame, frame + out->offset,
				    o->len - out->offset, out);
	out->len = o->len - out->offset - l->tag;
	if (l->order == SCR_ORDER_MAC_THEN_ENCRYPT)
		return verify_mac(d, o->sequence, frame, frame + out->offset,
				  out->len, frame + out->offset + out->len);
	if (l->inner_type)
		return strip_inner_type(l, frame, out);
	if (l->padding == SCR_PADDING_SSH)
		return strip_ssh_padding(l, frame, out);
	if (l->padding == SCR_PADDING_TLS)
		return strip_tls_padding(frame, out);
	return 0;
}

/* Waits for the cipher, also when nobody wants the result: then out is NULL. */
int scr_open_finish(struct scr_direction *d, struct scr_opening *o,
		    struct scr_opened *out)
{
	const struct scr_layout *l = &d->layout;
	int err;

	err = crypto_wait_req(o->err, &o->wait);
	o->err = err;
	if (!out)
		return 0;
	if (!err && l->order == SCR_ORDER_MAC_AND_ENCRYPT)
		err = verify_last(d, o);
	if (err)
		return err;
	out->offset = scr_payload_offset(l);
	out->type = l->type_offset >= 0 ? o->frame[l->type_offset] :
					  SCR_TYPE_DATA;
	err = strip(d, o, out);
	if (err)
		return err;
	if (out->len > l->max_plain)
		return -EMSGSIZE;
	/* RFC 8446 5.1, and nobody sends them before 1.3 either */
	if (!out->len && out->type != SCR_TYPE_DATA)
		return -EBADMSG;
	return 0;
}
