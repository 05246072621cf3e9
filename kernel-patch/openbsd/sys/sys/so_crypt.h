/*
 * Copyright (c) 2026 The so-crypt authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#ifndef _SYS_SO_CRYPT_H_
#define _SYS_SO_CRYPT_H_

/*
 * The socket option SO_CRYPT, see so_crypt(4).  Layout and numbers are those
 * of the Linux module so_crypt.  Fields that a protocol does not use, and
 * reserved ones, must be 0.  Numbers are in host order, lengths in bytes.
 */

#include <sys/types.h>

#ifndef SO_CRYPT
#define SO_CRYPT	0x1026
#endif

/* Control messages of sendmsg(2) and recvmsg(2). */
#define SO_CRYPT_SOL_CMSG		282
#define SO_CRYPT_SET_RECORD_TYPE	1
#define SO_CRYPT_GET_RECORD_TYPE	2

enum so_crypt_operation {
	SO_CRYPT_ARM		= 1,
	SO_CRYPT_REKEY		= 2
};

enum so_crypt_direction {
	SO_CRYPT_WRITE		= 1,
	SO_CRYPT_READ		= 2
};

enum so_crypt_protocol {
	SO_CRYPT_TLS_1_0	= 1,
	SO_CRYPT_TLS_1_1	= 2,
	SO_CRYPT_TLS_1_2	= 3,
	SO_CRYPT_TLS_1_3	= 4,
	SO_CRYPT_SSH		= 5,
	SO_CRYPT_CUSTOM		= 255
};

enum so_crypt_flags {
	SO_CRYPT_ETM		= 1 << 0
};

/* What this system says for EKEYEXPIRED. */
#define SO_CRYPT_EKEYEXPIRED	ENEEDAUTH

#define SO_CRYPT_NAME_LEN	64
#define SO_CRYPT_MAX_KEY	64
#define SO_CRYPT_MAX_IV		16
#define SO_CRYPT_MAX_HEADER	32
#define SO_CRYPT_MAX_DEPTH	64

/* Where a frame's IV or nonce comes from. */
enum so_crypt_nonce {
	SO_CRYPT_NONCE_XOR_SEQUENCE	= 0,	/* RFC 8446 5.3 */
	SO_CRYPT_NONCE_EXPLICIT_COUNTER	= 1,	/* RFC 5288 3, RFC 3686 4 */
	SO_CRYPT_NONCE_EXPLICIT_RANDOM	= 2	/* RFC 4346 6.2.3.2 */
};

enum so_crypt_order {
	SO_CRYPT_ORDER_AEAD		= 0,
	SO_CRYPT_ORDER_MAC_THEN_ENCRYPT	= 1,
	SO_CRYPT_ORDER_ENCRYPT_THEN_MAC	= 2
};

enum so_crypt_padding {
	SO_CRYPT_PADDING_NONE		= 0,
	SO_CRYPT_PADDING_TLS		= 1	/* RFC 5246 6.2.3.2 */
};

/*
 * A frame given by offsets, all from its first byte:
 *
 *	header | explicit IV | payload | padding | tag		AEAD, EtM
 *	header | explicit IV | payload | MAC | padding		MtE
 */
struct so_crypt_layout {
	uint8_t		header[SO_CRYPT_MAX_HEADER];	/* template */
	uint8_t		header_len;	/* 2 ... 32 */
	uint8_t		length_offset;	/* of the big-endian length field */
	uint8_t		length_size;	/* 2, 3 or 4 */
	uint8_t		nonce;		/* enum so_crypt_nonce */
	uint32_t	length_bias;	/* bytes that it does not count */
	uint8_t		fixed_iv;	/* 12, 4 or 0 as the nonce says */
	uint8_t		explicit_iv;	/* 0, 8 or one block */
	uint8_t		order;		/* enum so_crypt_order */
	uint8_t		padding;	/* enum so_crypt_padding */
	uint8_t		assoc_sequence;	/* 0, 4 or 8 */
	uint8_t		assoc_start;
	uint8_t		assoc_end;	/* header_len unless AEAD */
	uint8_t		reserved[17];
};

struct so_crypt_info {
	uint8_t		operation;	/* enum so_crypt_operation */
	uint8_t		direction;	/* enum so_crypt_direction */
	uint8_t		protocol;	/* enum so_crypt_protocol */
	uint8_t		flags;		/* enum so_crypt_flags */
	uint32_t	max_payload;
	uint16_t	depth;
	uint8_t		tag_len;
	uint8_t		key_len;
	uint8_t		mac_key_len;
	uint8_t		iv_len;
	uint8_t		reserved1[2];
	uint64_t	sequence;
	uint64_t	limit;
	char		cipher[SO_CRYPT_NAME_LEN];	/* ends with 0 */
	char		mac[SO_CRYPT_NAME_LEN];
	uint8_t		key[SO_CRYPT_MAX_KEY];
	uint8_t		mac_key[SO_CRYPT_MAX_KEY];
	uint8_t		iv[SO_CRYPT_MAX_IV];
	struct so_crypt_layout layout;
	uint8_t		reserved2[16];
};

enum so_crypt_state {
	SO_CRYPT_STATE_ARMED	= 1 << 0,
	SO_CRYPT_STATE_ASYNC	= 1 << 1,	/* never: crypto(9) waits */
	SO_CRYPT_STATE_REKEY	= 1 << 2	/* waits for SO_CRYPT_REKEY */
};

struct so_crypt_direction_status {
	uint8_t		state;		/* enum so_crypt_state */
	uint8_t		protocol;
	uint8_t		flags;
	uint8_t		tag_len;
	uint32_t	error;		/* the errno that stays, or 0 */
	uint32_t	max_payload;
	uint16_t	depth;
	uint16_t	in_flight;
	uint64_t	sequence;	/* of the next frame */
	uint64_t	frames;		/* under this key */
	uint64_t	limit;
	char		cipher[SO_CRYPT_NAME_LEN];
	char		driver[SO_CRYPT_NAME_LEN];	/* who does it */
	char		mac[SO_CRYPT_NAME_LEN];
};

struct so_crypt_status {
	struct so_crypt_direction_status write;
	struct so_crypt_direction_status read;
};

#endif /* _SYS_SO_CRYPT_H_ */
