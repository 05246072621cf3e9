// SPDX-License-Identifier: GPL-2.0
/*
 * SSH's binary packets: RFC 4253 6, RFC 5647 7 (AES-GCM), and OpenSSH's PROTOCOL
 * 1.5 (-etm MACs) and PROTOCOL.chacha20poly1305.
 *
 *	uint32 packet_length | byte padding_length | payload | padding | MAC
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "layout.h"

enum { LENGTH_FIELD = 4 };

int scr_layout_ssh(struct scr_layout *l, const struct so_crypt_info *info,
		   const struct scr_cipher *cipher)
{
	const bool etm = info->flags & SO_CRYPT_ETM;

	if (info->max_payload > SCR_CUSTOM_MAX_PAYLOAD)
		return -EINVAL;
	l->messages = true;
	l->header_len = LENGTH_FIELD;
	l->prefix = 1;
	l->length_size = LENGTH_FIELD;
	l->max_payload = info->max_payload ?: SCR_SSH_MAX_PAYLOAD;
	l->max_plain = SCR_SSH_MAX_PACKET;
	l->padding = SCR_PADDING_SSH;
	l->crypt_start = LENGTH_FIELD;
	l->assoc_end = LENGTH_FIELD;
	/* packet_length counts neither itself nor the MAC */
	l->length_bias = LENGTH_FIELD + l->tag;
	l->max_frame = SCR_SSH_MAX_PACKET + l->length_bias;
	l->block = max_t(u8, cipher->block, 8);

	switch (cipher->mode) {
	case SCR_MODE_AEAD:
		if (etm || strcmp(cipher->name, "gcm(aes)"))
			return -EINVAL;
		l->block = 16;
		l->order = SCR_ORDER_AEAD;
		l->nonce = SCR_NONCE_INVOCATION;
		l->fixed_iv = 12;
		return 0;
	case SCR_MODE_SSH_CHACHA:
		if (etm)
			return -EINVAL;
		l->order = SCR_ORDER_AEAD;
		l->nonce = SCR_NONCE_NONE;
		l->hidden_length = true;
		return 0;
	case SCR_MODE_CBC:
	case SCR_MODE_CTR:
		break;
	}
	/* AES alone: the length field is opened by the library's AES */
	if (cipher->block != 16 || !strcmp(info->mac, "hmac(sha384)"))
		return -EINVAL;
	l->nonce = cipher->mode == SCR_MODE_CBC ? SCR_NONCE_CHAINED :
						  SCR_NONCE_RUNNING;
	l->fixed_iv = cipher->block;
	l->assoc_sequence = 4;
	if (etm) {
		l->order = SCR_ORDER_ENCRYPT_THEN_MAC;
		return 0;
	}
	l->order = SCR_ORDER_MAC_AND_ENCRYPT;
	l->crypt_start = 0;
	l->hidden_length = true;
	l->peek = cipher->block;
	return 0;
}
