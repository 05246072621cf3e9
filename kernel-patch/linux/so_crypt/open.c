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

/* One cipher operation, waited for. */
static int decrypt(struct scr_direction *d, u8 *iv, u8 *assoc, u32 assoc_len,
		   u8 *data, u32 len)
{
	const u32 flags = CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP;
	const unsigned int entries = 1 + scr_sg_pages(data, len);
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist *sg;
	size_t request;
	void *req;
	int err;

	request = d->tfm.aead ?
		  sizeof(struct aead_request) +
		  crypto_aead_reqsize(d->tfm.aead) :
		  sizeof(struct skcipher_request) +
		  crypto_skcipher_reqsize(d->tfm.skcipher);
	request = ALIGN(request, CRYPTO_MINALIGN);
	req = kmalloc(request + entries * sizeof(*sg), GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	sg = req + request;
	if (d->tfm.aead) {
		scr_sg_init(sg, assoc, assoc_len, data, len);
		aead_request_set_tfm(req, d->tfm.aead);
		aead_request_set_callback(req, flags, crypto_req_done, &wait);
		aead_request_set_ad(req, assoc_len);
		aead_request_set_crypt(req, sg, sg, len, iv);
		err = crypto_wait_req(crypto_aead_decrypt(req), &wait);
	} else {
		scr_sg_init(sg, NULL, 0, data, len);
		skcipher_request_set_tfm(req, d->tfm.skcipher);
		skcipher_request_set_callback(req, flags, crypto_req_done,
					      &wait);
		skcipher_request_set_crypt(req, sg, sg, len, iv);
		err = crypto_wait_req(crypto_skcipher_decrypt(req), &wait);
	}
	kfree_sensitive(req);
	return err;
}

static int verify_mac(struct scr_direction *d, const u8 *header, const u8 *data,
		      u32 len, const u8 *tag)
{
	u8 assoc[SCR_MAX_ASSOC], mac[SCR_MAX_TAG];
	u32 n;
	int err;

	n = scr_build_assoc(&d->layout, header, d->sequence, len, assoc);
	err = scr_hmac(d->hmac, assoc, n, data, len, mac);
	if (!err && crypto_memneq(mac, tag, d->layout.tag))
		err = -EBADMSG;
	return err;
}

static int open_aead(struct scr_direction *d, u8 *frame, u32 len, u8 *iv)
{
	const struct scr_layout *l = &d->layout;
	const u32 text = len - l->crypt_start;
	u8 *assoc;
	u32 n;
	int err;

	if (d->chacha)
		return scr_ssh_chacha_open(d->chacha, d->sequence, frame,
					   len - l->tag) ? 0 : -EBADMSG;
	/* DMA must not go to the stack */
	assoc = kmalloc(SCR_MAX_ASSOC + SO_CRYPT_MAX_IV, GFP_KERNEL);
	if (!assoc)
		return -ENOMEM;
	n = scr_build_assoc(l, frame, d->sequence, text - l->tag, assoc);
	memcpy(assoc + SCR_MAX_ASSOC, iv, SO_CRYPT_MAX_IV);
	err = decrypt(d, assoc + SCR_MAX_ASSOC, assoc, n,
		      frame + l->crypt_start, text);
	kfree(assoc);
	return err;
}

/* Decrypts and verifies. The MAC of MAC-then-encrypt is still to be checked. */
static int open_body(struct scr_direction *d, u8 *frame, u32 len)
{
	const struct scr_layout *l = &d->layout;
	const u32 crypted = crypted_length(l, len);
	const u32 crypt_end = l->crypt_start + crypted;
	const bool chained = l->nonce == SCR_NONCE_CHAINED;
	u8 last_block[SO_CRYPT_MAX_IV] = {};
	u8 iv[SO_CRYPT_MAX_IV];
	u8 *request_iv;
	int err;

	scr_build_iv(d, frame + l->header_len, iv);
	if (l->order == SCR_ORDER_AEAD)
		return open_aead(d, frame, len, iv);
	if (l->order == SCR_ORDER_ENCRYPT_THEN_MAC) {
		err = verify_mac(d, frame, frame + l->header_len,
				 crypt_end - l->header_len, frame + crypt_end);
		if (err)
			return err;
	}
	if (chained)
		memcpy(last_block, frame + crypt_end - d->cipher->block,
		       d->cipher->block);
	request_iv = kmemdup(iv, sizeof(iv), GFP_KERNEL);
	if (!request_iv)
		return -ENOMEM;
	err = decrypt(d, request_iv, NULL, 0, frame + l->crypt_start, crypted);
	kfree(request_iv);
	if (!err && l->order == SCR_ORDER_MAC_AND_ENCRYPT)
		err = verify_mac(d, frame, frame + l->header_len,
				 crypt_end - l->header_len, frame + crypt_end);
	if (!err && chained)
		memcpy(d->iv, last_block, d->cipher->block);
	return err;
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

static int strip(struct scr_direction *d, u8 *frame, u32 len,
		 struct scr_opened *out)
{
	const struct scr_layout *l = &d->layout;

	if (l->order == SCR_ORDER_MAC_THEN_ENCRYPT &&
	    l->padding == SCR_PADDING_TLS)
		return scr_open_mte(d, frame, frame + out->offset,
				    len - out->offset, out);
	out->len = len - out->offset - l->tag;
	if (l->order == SCR_ORDER_MAC_THEN_ENCRYPT)
		return verify_mac(d, frame, frame + out->offset, out->len,
				  frame + out->offset + out->len);
	if (l->inner_type)
		return strip_inner_type(l, frame, out);
	if (l->padding == SCR_PADDING_SSH)
		return strip_ssh_padding(l, frame, out);
	if (l->padding == SCR_PADDING_TLS)
		return strip_tls_padding(frame, out);
	return 0;
}

int scr_open(struct scr_direction *d, u8 *frame, u32 len,
	     struct scr_opened *out)
{
	const struct scr_layout *l = &d->layout;
	int err;

	if (!scr_may_go_on(d))
		return -EKEYEXPIRED;
	out->offset = scr_payload_offset(l);
	out->type = l->type_offset >= 0 ? frame[l->type_offset] : SCR_TYPE_DATA;
	err = open_body(d, frame, len);
	if (err)
		return err;
	err = strip(d, frame, len, out);
	if (err)
		return err;
	if (out->len > l->max_plain)
		return -EMSGSIZE;
	/* RFC 8446 5.1, and nobody sends them before 1.3 either */
	if (!out->len && out->type != SCR_TYPE_DATA)
		return -EBADMSG;
	scr_advance(d, crypted_length(l, len), NULL);
	return 0;
}
