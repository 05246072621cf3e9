/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frame layout as data: sealing and opening know no protocol, only these
 * offsets. All lengths are in bytes.
 *
 *	header | explicit IV | prefix | payload | (type) | padding | tag
 *	header | explicit IV | payload | tag | padding		MAC-then-encrypt
 *
 * The prefix is SSH's padding_length.
 */
#ifndef _SO_CRYPT_LAYOUT_H
#define _SO_CRYPT_LAYOUT_H

#include <linux/so_crypt.h>
#include <linux/types.h>
#include "names.h"

enum scr_limits {
	SCR_MAX_TAG		= 64,
	SCR_MAX_ASSOC		= 8 + SO_CRYPT_MAX_HEADER,
	SCR_MAX_PEEK		= SO_CRYPT_MAX_HEADER,
	SCR_TLS_HEADER		= 5,
	SCR_TLS_MAX_PAYLOAD	= 16384,
	SCR_SSH_MAX_PAYLOAD	= 32768,
	SCR_SSH_MAX_PACKET	= 262144,
	SCR_CUSTOM_MAX_PAYLOAD	= 65536,
};

enum scr_record_type {
	SCR_TYPE_FIRST		= 20,	/* change_cipher_spec */
	SCR_TYPE_ALERT		= 21,
	SCR_TYPE_HANDSHAKE	= 22,
	SCR_TYPE_DATA		= 23,
	SCR_TYPE_LAST		= 24,	/* heartbeat, RFC 6520 */
	SCR_TLS_KEY_UPDATE	= 24,	/* a handshake message */
	SCR_SSH_NEWKEYS		= 21,	/* an SSH message */
};

/* Behind the shapes that the ABI has for custom layouts. */
enum scr_nonce {
	SCR_NONCE_XOR_SEQUENCE		= SO_CRYPT_NONCE_XOR_SEQUENCE,
	SCR_NONCE_EXPLICIT_COUNTER	= SO_CRYPT_NONCE_EXPLICIT_COUNTER,
	SCR_NONCE_EXPLICIT_RANDOM	= SO_CRYPT_NONCE_EXPLICIT_RANDOM,
	SCR_NONCE_CHAINED,	/* the last block of the frame before */
	SCR_NONCE_INVOCATION,	/* the last 8 bytes count frames: RFC 5647 7.1 */
	SCR_NONCE_RUNNING,	/* counts blocks over all frames: RFC 4344 4 */
	SCR_NONCE_NONE,
};

enum scr_order {
	SCR_ORDER_AEAD			= SO_CRYPT_ORDER_AEAD,
	SCR_ORDER_MAC_THEN_ENCRYPT	= SO_CRYPT_ORDER_MAC_THEN_ENCRYPT,
	SCR_ORDER_ENCRYPT_THEN_MAC	= SO_CRYPT_ORDER_ENCRYPT_THEN_MAC,
	SCR_ORDER_MAC_AND_ENCRYPT,	/* RFC 4253 6.4 */
};

enum scr_padding {
	SCR_PADDING_NONE	= SO_CRYPT_PADDING_NONE,
	SCR_PADDING_TLS		= SO_CRYPT_PADDING_TLS,
	SCR_PADDING_SSH,	/* RFC 4253 6 */
};

struct scr_layout {
	u8 header[SO_CRYPT_MAX_HEADER];
	u8 header_len;
	s8 type_offset;		/* -1: frames have no type */
	bool inner_type;	/* the last byte of the plaintext: RFC 8446 5.2 */
	bool messages;		/* one send is one frame, one read too */
	bool hidden_length;	/* encrypted with what follows */

	u8 length_offset;
	u8 length_size;
	u32 length_bias;
	u8 peek;		/* bytes that tell a frame's length */

	u32 max_payload;	/* of frames that are sent */
	u32 max_plain;		/* of payloads that arrive */
	u32 min_frame;
	u32 max_frame;

	u8 nonce;		/* enum scr_nonce */
	u8 fixed_iv;
	u8 explicit_iv;

	u8 order;		/* enum scr_order */
	u8 tag;
	u8 padding;		/* enum scr_padding */
	u8 block;		/* padding fills up to a multiple of it */
	u8 prefix;
	u8 crypt_start;		/* of what is encrypted, in the frame */

	u8 assoc_sequence;
	u8 assoc_start;
	u8 assoc_end;
	bool assoc_covered;	/* its length field counts what it covers */
};

static inline u32 scr_payload_offset(const struct scr_layout *l)
{
	return l->header_len + l->explicit_iv + l->prefix;
}

void scr_put_be(u8 *out, u64 value, unsigned int size);
u64 scr_get_be(const u8 *in, unsigned int size);
unsigned int scr_build_assoc(const struct scr_layout *l, const u8 *header,
			     u64 sequence, u32 covered, u8 *out);
u32 scr_padding_of(const struct scr_layout *l, u32 payload);
u32 scr_max_overhead(const struct scr_layout *l);
int scr_layout_init(struct scr_layout *l, const struct so_crypt_info *info,
		    const struct scr_cipher *cipher,
		    const struct scr_mac *mac);
int scr_layout_ssh(struct scr_layout *l, const struct so_crypt_info *info,
		   const struct scr_cipher *cipher);
int scr_layout_custom(struct scr_layout *l, const struct so_crypt_info *info,
		      const struct scr_cipher *cipher);
#endif
