// SPDX-License-Identifier: GPL-2.0
/* The TLS versions' layouts, and what is common to all. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "layout.h"

void scr_put_be(u8 *out, u64 value, unsigned int size)
{
	for (; size; value >>= 8)
		out[--size] = value;
}

u64 scr_get_be(const u8 *in, unsigned int size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | *in++;
	return value;
}

/* What a MAC covers before the data, or the AAD. Returns its length. */
unsigned int scr_build_assoc(const struct scr_layout *l, const u8 *header,
			     u64 sequence, u32 covered, u8 *out)
{
	const unsigned int n = l->assoc_end - l->assoc_start;

	scr_put_be(out, sequence, l->assoc_sequence);
	memcpy(out + l->assoc_sequence, header + l->assoc_start, n);
	if (l->assoc_covered)
		scr_put_be(out + l->assoc_sequence + l->length_offset -
			   l->assoc_start, covered, l->length_size);
	return l->assoc_sequence + n;
}

/* Bytes of padding behind so much payload (and its MAC, where that is in). */
u32 scr_padding_of(const struct scr_layout *l, u32 payload)
{
	u32 covered = payload, padding;

	switch (l->padding) {
	case SCR_PADDING_TLS:
		if (l->order == SCR_ORDER_MAC_THEN_ENCRYPT)
			covered += l->tag;
		return l->block - covered % l->block;
	case SCR_PADDING_SSH:
		covered += l->header_len + l->prefix - l->crypt_start;
		padding = l->block - covered % l->block;
		return padding < 4 ? padding + l->block : padding;
	}
	return 0;
}

u32 scr_max_overhead(const struct scr_layout *l)
{
	return scr_payload_offset(l) + l->inner_type + l->tag +
	       (l->padding == SCR_PADDING_NONE ? 0 : l->block + 4);
}

/* RFC 2246, 4346, 5246 and 8446; RFC 7366. */
static int layout_tls(struct scr_layout *l, const struct so_crypt_info *info,
		      const struct scr_cipher *cipher)
{
	static const u8 minor[] = {
		[SO_CRYPT_TLS_1_0] = 1, [SO_CRYPT_TLS_1_1] = 2,
		[SO_CRYPT_TLS_1_2] = 3, [SO_CRYPT_TLS_1_3] = 3,
	};
	const bool cbc = cipher->mode == SCR_MODE_CBC;
	const bool tls12 = info->protocol == SO_CRYPT_TLS_1_2;
	const bool tls13 = info->protocol == SO_CRYPT_TLS_1_3;

	if (cbc ? tls13 : (cipher->mode != SCR_MODE_AEAD || (!tls12 && !tls13)))
		return -EINVAL;
	if ((info->flags & SO_CRYPT_ETM) && !cbc)
		return -EINVAL;
	if (info->max_payload > SCR_TLS_MAX_PAYLOAD)
		return -EINVAL;

	l->header[0] = SCR_TYPE_DATA;
	l->header[1] = 3;
	l->header[2] = minor[info->protocol];
	l->header_len = SCR_TLS_HEADER;
	l->type_offset = 0;
	l->length_offset = 3;
	l->length_size = 2;
	l->length_bias = SCR_TLS_HEADER;
	l->max_payload = info->max_payload ?: SCR_TLS_MAX_PAYLOAD;
	l->max_plain = SCR_TLS_MAX_PAYLOAD;
	l->max_frame = SCR_TLS_HEADER + SCR_TLS_MAX_PAYLOAD +
		       (tls13 ? 256 : 2048);
	/* seq_num || type || version || length */
	l->assoc_sequence = 8;
	l->assoc_end = SCR_TLS_HEADER;
	l->assoc_covered = true;
	if (tls13) {
		l->inner_type = true;
		l->assoc_sequence = 0;
		l->assoc_covered = false;
	}
	if (cbc) {
		l->order = info->flags & SO_CRYPT_ETM ?
			   SCR_ORDER_ENCRYPT_THEN_MAC :
			   SCR_ORDER_MAC_THEN_ENCRYPT;
		l->padding = SCR_PADDING_TLS;
		l->block = cipher->block;
		l->nonce = SCR_NONCE_EXPLICIT_RANDOM;
		l->explicit_iv = cipher->block;
		if (info->protocol == SO_CRYPT_TLS_1_0) {
			l->nonce = SCR_NONCE_CHAINED;
			l->fixed_iv = cipher->block;
			l->explicit_iv = 0;
		}
	} else if (tls13 || cipher->xor_nonce) {
		l->nonce = SCR_NONCE_XOR_SEQUENCE;
		l->fixed_iv = 12;
	} else {
		l->nonce = SCR_NONCE_EXPLICIT_COUNTER;
		l->fixed_iv = 4;
		l->explicit_iv = 8;
	}
	return 0;
}

static int tag_length(struct scr_layout *l, const struct so_crypt_info *info,
		      const struct scr_cipher *cipher,
		      const struct scr_mac *mac)
{
	const u8 full = mac ? mac->size : cipher->tag;

	l->tag = info->tag_len ?: full;
	if (l->tag == full)
		return 0;
	/* CCM_8 of TLS; RFC 2404's truncation for custom layouts */
	if (!mac && !strcmp(cipher->name, "ccm(aes)") && l->tag == 8)
		return 0;
	if (mac && info->protocol == SO_CRYPT_CUSTOM && l->tag >= 10 &&
	    l->tag < full)
		return 0;
	return -EINVAL;
}

int scr_layout_init(struct scr_layout *l, const struct so_crypt_info *info,
		    const struct scr_cipher *cipher, const struct scr_mac *mac)
{
	const bool own_tag = cipher->tag != 0;
	u32 least;
	int err;

	if (own_tag == !!mac)
		return -EINVAL;
	memset(l, 0, sizeof(*l));
	l->type_offset = -1;
	l->block = 1;
	err = tag_length(l, info, cipher, mac);
	if (err)
		return err;
	switch (info->protocol) {
	case SO_CRYPT_TLS_1_0 ... SO_CRYPT_TLS_1_3:
		err = layout_tls(l, info, cipher);
		break;
	case SO_CRYPT_SSH:
		err = scr_layout_ssh(l, info, cipher);
		break;
	case SO_CRYPT_CUSTOM:
		err = scr_layout_custom(l, info, cipher);
		break;
	default:
		err = -EINVAL;
	}
	if (err)
		return err;
	if (!l->peek)
		l->peek = l->header_len;
	if (l->padding != SCR_PADDING_SSH)
		l->crypt_start = l->header_len + l->explicit_iv;

	/* The shortest frame: with no payload but all that belongs to one. */
	least = l->inner_type;
	l->min_frame = scr_payload_offset(l) + least + l->tag;
	if (l->padding == SCR_PADDING_SSH)
		least = 1;
	if (l->padding != SCR_PADDING_NONE)
		l->min_frame = scr_payload_offset(l) + least +
			       scr_padding_of(l, least) + l->tag;
	return 0;
}
