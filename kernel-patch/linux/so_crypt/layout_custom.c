// SPDX-License-Identifier: GPL-2.0
/*
 * A layout given by offsets. Nonces that never repeat under one key are the
 * layout's business, not its user's: only shapes that ensure it are accepted.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "layout.h"

static int check_nonce(const struct so_crypt_layout *in,
		       const struct scr_cipher *cipher)
{
	switch (in->nonce) {
	case SO_CRYPT_NONCE_XOR_SEQUENCE:
		return cipher->mode != SCR_MODE_CBC && in->fixed_iv == 12 &&
		       in->explicit_iv == 0 ? 0 : -EINVAL;
	case SO_CRYPT_NONCE_EXPLICIT_COUNTER:
		return cipher->mode != SCR_MODE_CBC && in->fixed_iv == 4 &&
		       in->explicit_iv == 8 ? 0 : -EINVAL;
	case SO_CRYPT_NONCE_EXPLICIT_RANDOM:
		return cipher->mode == SCR_MODE_CBC && in->fixed_iv == 0 &&
		       in->explicit_iv == cipher->block ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static int check_coverage(const struct so_crypt_layout *in,
			  const struct scr_cipher *cipher)
{
	const bool aead = cipher->mode == SCR_MODE_AEAD;
	const bool order_aead = in->order == SO_CRYPT_ORDER_AEAD;

	if (aead != order_aead ||
	    in->order > SO_CRYPT_ORDER_ENCRYPT_THEN_MAC)
		return -EINVAL;
	if (in->assoc_sequence != 0 && in->assoc_sequence != 4 &&
	    in->assoc_sequence != 8)
		return -EINVAL;
	if (in->assoc_start > in->assoc_end || in->assoc_end > in->header_len)
		return -EINVAL;
	if (!aead && in->assoc_end != in->header_len)
		return -EINVAL;
	return 0;
}

int scr_layout_custom(struct scr_layout *l, const struct so_crypt_info *info,
		      const struct scr_cipher *cipher)
{
	const struct so_crypt_layout *in = &info->layout;
	const bool cbc = cipher->mode == SCR_MODE_CBC;
	u64 longest;
	int err;

	if (cipher->mode == SCR_MODE_SSH_CHACHA || info->flags ||
	    memchr_inv(in->reserved, 0, sizeof(in->reserved)))
		return -EINVAL;
	if (in->header_len < 2 || in->header_len > SO_CRYPT_MAX_HEADER ||
	    in->length_size < 2 || in->length_size > 4 ||
	    in->length_offset + in->length_size > in->header_len ||
	    in->length_bias > 65535)
		return -EINVAL;
	if (in->padding != (cbc ? SO_CRYPT_PADDING_TLS : SO_CRYPT_PADDING_NONE))
		return -EINVAL;
	if (info->max_payload > SCR_CUSTOM_MAX_PAYLOAD)
		return -EINVAL;
	err = check_nonce(in, cipher) ?: check_coverage(in, cipher);
	if (err)
		return err;

	memcpy(l->header, in->header, sizeof(l->header));
	l->header_len = in->header_len;
	l->length_offset = in->length_offset;
	l->length_size = in->length_size;
	l->length_bias = in->length_bias;
	l->max_payload = info->max_payload ?: SCR_TLS_MAX_PAYLOAD;
	l->max_plain = l->max_payload;
	l->nonce = in->nonce;
	l->fixed_iv = in->fixed_iv;
	l->explicit_iv = in->explicit_iv;
	l->order = in->order;
	l->padding = in->padding;
	l->block = cbc ? cipher->block : 1;
	l->assoc_sequence = in->assoc_sequence;
	l->assoc_start = in->assoc_start;
	l->assoc_end = in->assoc_end;
	l->max_frame = l->header_len + l->explicit_iv + l->max_payload +
		       l->tag + (cbc ? 256 : 0);
	/* The length field has to hold what the bias leaves of every frame. */
	longest = (u64)l->max_frame - min(l->max_frame, l->length_bias);
	if (longest >> (8 * l->length_size))
		return -EINVAL;
	if (l->length_bias > (u32)l->header_len + l->explicit_iv + l->tag)
		return -EINVAL;
	return 0;
}
