/* SPDX-License-Identifier: GPL-2.0 */
/* One direction of a connection: its layout, keys, IV and sequence number. */
#ifndef _SO_CRYPT_DIRECTION_H
#define _SO_CRYPT_DIRECTION_H

#include <linux/so_crypt.h>
#include <linux/types.h>
#include "compat.h"
#include "layout.h"
#include "names.h"

struct crypto_shash;
struct scr_ct_mac;
struct scr_ssh_chacha;

enum { SCR_FINGERPRINT = 16 };

struct scr_direction {
	struct scr_layout layout;
	const struct scr_cipher *cipher;
	const struct scr_mac *mac;	/* NULL with AEAD */
	struct scr_tfm tfm;
	struct scr_ssh_chacha *chacha;	/* instead of tfm */
	struct crypto_shash *hmac;
	struct scr_ct_mac *ct_mac;	/* to open MAC-then-encrypt */
	struct scr_aes_key *peek;	/* to open a hidden length field */

	u8 protocol;
	u8 flags;
	u8 writing;
	bool async;		/* the cipher may answer later */
	u16 depth;
	u16 iv_len;
	u8 iv[SO_CRYPT_MAX_IV];
	u64 explicit_counter;	/* of the next frame, when writing */
	u64 sequence;		/* of the next frame */
	u64 frames;		/* under this key */
	u64 limit;
	u8 fingerprint[SCR_FINGERPRINT];	/* tells keys apart */
};

struct scr_direction *scr_direction_create(const struct so_crypt_info *info);
void scr_direction_free(struct scr_direction *d);
void scr_direction_status(const struct scr_direction *d,
			  struct so_crypt_direction_status *status);
bool scr_same_key(const struct scr_direction *a, const struct scr_direction *b);

/* iv.c */
void scr_write_explicit_iv(struct scr_direction *d, u8 *out);
void scr_build_iv(const struct scr_direction *d, const u8 *explicit_iv, u8 *iv);
void scr_advance(struct scr_direction *d, u32 crypted, const u8 *last_block);

/* False when the next frame would repeat a nonce or pass the limit. */
static inline bool scr_may_go_on(const struct scr_direction *d)
{
	return d->frames < d->limit &&
	       (d->protocol == SO_CRYPT_SSH || d->sequence != U64_MAX);
}

/* A frame that has to wait for the last block of the one before. */
static inline bool scr_is_serial(const struct scr_direction *d)
{
	return d->layout.nonce == SCR_NONCE_CHAINED;
}
#endif
