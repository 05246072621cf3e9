// SPDX-License-Identifier: GPL-2.0
/* IVs and nonces. They only ever move forward, here. */
#include <crypto/algapi.h>
#include <linux/random.h>
#include <linux/string.h>
#include "compat.h"
#include "direction.h"

/* The part of a new frame's IV that the frame carries. */
void scr_write_explicit_iv(struct scr_direction *d, u8 *out)
{
	if (d->layout.nonce == SCR_NONCE_EXPLICIT_COUNTER)
		scr_put_be(out, d->explicit_counter, d->layout.explicit_iv);
	else if (d->layout.nonce == SCR_NONCE_EXPLICIT_RANDOM)
		get_random_bytes(out, d->layout.explicit_iv);
}

static void ccm_iv(u8 *iv)
{
	/* RFC 3610: L' = 2 (3 bytes of length) in front of 12 nonce bytes */
	memmove(iv + 1, iv, 12);
	iv[0] = 2;
	memset(iv + 13, 0, 3);
}

/* The IV of the next frame as the crypto API takes it, in SO_CRYPT_MAX_IV bytes. */
void scr_build_iv(const struct scr_direction *d, const u8 *explicit_iv, u8 *iv)
{
	const struct scr_layout *l = &d->layout;
	u8 sequence[8];

	memcpy(iv, d->iv, SO_CRYPT_MAX_IV);
	switch (l->nonce) {
	case SCR_NONCE_XOR_SEQUENCE:
		put_unaligned_be64(d->sequence, sequence);
		crypto_xor(iv + l->fixed_iv - 8, sequence, 8);
		break;
	case SCR_NONCE_EXPLICIT_COUNTER:
	case SCR_NONCE_EXPLICIT_RANDOM:
		memcpy(iv + l->fixed_iv, explicit_iv, l->explicit_iv);
		break;
	}
	if (d->cipher->mode == SCR_MODE_CTR && l->nonce != SCR_NONCE_RUNNING)
		put_unaligned_be32(1, iv + 12);
	if (d->cipher->mode == SCR_MODE_AEAD && d->cipher->name[1] == 'c' &&
	    d->cipher->name[0] == 'c')
		ccm_iv(iv);
}

static void add_be128(u8 *counter, u32 n)
{
	const u64 low = get_unaligned_be64(counter + 8);

	put_unaligned_be64(low + n, counter + 8);
	if (low + n < low)
		put_unaligned_be64(get_unaligned_be64(counter) + 1, counter);
}

/* After a frame: `crypted` bytes went through the cipher. Chained IVs that are
 * known give last_block.
 */
void scr_advance(struct scr_direction *d, u32 crypted, const u8 *last_block)
{
	switch (d->layout.nonce) {
	case SCR_NONCE_CHAINED:
		if (last_block)
			memcpy(d->iv, last_block, d->cipher->block);
		break;
	case SCR_NONCE_INVOCATION:
		put_unaligned_be64(get_unaligned_be64(d->iv + 4) + 1,
				   d->iv + 4);
		break;
	case SCR_NONCE_RUNNING:
		add_be128(d->iv, crypted / d->cipher->block);
		break;
	}
	d->explicit_counter++;
	d->frames++;
	d->sequence++;
	if (d->protocol == SO_CRYPT_SSH)	/* RFC 4253 6.4 */
		d->sequence &= U32_MAX;
}
