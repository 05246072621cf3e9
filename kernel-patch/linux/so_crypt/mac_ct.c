// SPDX-License-Identifier: GPL-2.0
/*
 * HMAC over a secret length, in a time that does not depend on it: the answer
 * to Lucky Thirteen (AlFardan and Paterson 2013).
 *
 * Only the last blocks of the inner hash can depend on the secret. Each of them
 * is put together byte by byte with masks, hashed, and the state behind it is
 * kept under a mask that is set for the true last block. So the same number of
 * blocks is hashed from the same addresses, whatever the padding was.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "ct.h"
#include "mac.h"

enum { MAX_BLOCK = 128, MAX_STATE = 64, MAX_EXPORT = 384 };

struct scr_ct_mac {
	struct crypto_shash *hash;
	const struct scr_mac *mac;
	u8 word;		/* bytes of the hash's state words */
	u8 state_len;		/* of the chaining value, untruncated */
	u8 inner[MAX_BLOCK];	/* the key XOR ipad */
	u8 outer[MAX_BLOCK];
	/* Of one call: the socket is locked. */
	u64 state[MAX_EXPORT / sizeof(u64)];
	u8 buffer[MAX_BLOCK];
};

struct scr_ct_mac *scr_ct_mac_create(const struct scr_mac *mac, const u8 *key,
				     unsigned int key_len)
{
	struct scr_ct_mac *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned int i;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->hash = crypto_alloc_shash(mac->hash, 0, 0);
	if (IS_ERR(m->hash)) {
		const int err = PTR_ERR(m->hash);

		kfree_sensitive(m);
		return ERR_PTR(err);
	}
	m->mac = mac;
	m->word = mac->block == 128 ? 8 : 4;
	m->state_len = mac->block == 128 ? 64 : mac->size;
	if (crypto_shash_statesize(m->hash) > MAX_EXPORT ||
	    crypto_shash_statesize(m->hash) < m->state_len) {
		scr_ct_mac_free(m);
		return ERR_PTR(-ENOENT);
	}
	for (i = 0; i < mac->block; i++) {
		const u8 byte = i < key_len ? key[i] : 0;

		m->inner[i] = byte ^ 0x36;
		m->outer[i] = byte ^ 0x5c;
	}
	return m;
}

void scr_ct_mac_free(struct scr_ct_mac *m)
{
	if (!m)
		return;
	crypto_free_shash(m->hash);
	kfree_sensitive(m);
}

/* One block of the padded message as it is when `len` bytes are hashed. */
static void build_block(const struct scr_ct_mac *m, u32 index, u32 last,
			const u8 *assoc, u32 assoc_len, const u8 *data,
			u32 max_len, u32 end, u8 *out)
{
	const u32 block = m->mac->block, field = 2 * m->word;
	const u32 is_last = scr_ct_eq(index, last);
	u8 length[16] = {};
	u32 i;

	/* The message's bits, the block with the key included. */
	put_unaligned_be64(((u64)block + end) * 8, length + field - 8);
	for (i = 0; i < block; i++) {
		const u32 at = index * block + i;
		u8 byte = 0;

		if (at < assoc_len)
			byte = assoc[at];
		else if (at - assoc_len < max_len)
			byte = data[at - assoc_len];
		byte &= scr_ct_lt(at, end);
		byte |= 0x80 & scr_ct_eq(at, end);
		if (i >= block - field)
			byte |= length[i - (block - field)] & is_last;
		out[i] = byte;
	}
}

/* The state words as bytes, for the block that is really the last. */
static void keep_state(const struct scr_ct_mac *m, const u8 *state, u32 mask,
		       u8 *out)
{
	u32 i;

	for (i = 0; i < m->state_len; i += m->word) {
		u8 bytes[8];
		u32 j;

		if (m->word == 8)
			put_unaligned_be64(*(const u64 *)(state + i), bytes);
		else
			put_unaligned_be32(*(const u32 *)(state + i), bytes);
		for (j = 0; j < m->word; j++)
			out[i + j] |= bytes[j] & mask;
	}
}

/*
 * @len: secret, max_len - variation <= len <= max_len
 * @max_len: bytes that may be read from @data
 */
int scr_ct_hmac(struct scr_ct_mac *m, const u8 *assoc, unsigned int assoc_len,
		const u8 *data, u32 len, u32 max_len, u32 variation, u8 *out)
{
	const u32 block = m->mac->block, field = 2 * m->word;
	const u32 shift = block == 128 ? 7 : 6;
	const u32 least = assoc_len + max_len - min(variation, max_len);
	const u32 end = assoc_len + len;
	const u32 last = (end + field) >> shift;
	const u32 final = (assoc_len + max_len + field) >> shift;
	u8 digest[MAX_STATE] = {};
	SHASH_DESC_ON_STACK(desc, m->hash);
	u32 at = least >> shift;
	int err;

	desc->tfm = m->hash;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, m->inner, block);
	if (!err && at) {
		err = crypto_shash_update(desc, assoc, assoc_len) ?:
		      crypto_shash_update(desc, data, at * block - assoc_len);
	}
	for (; !err && at <= final; at++) {
		build_block(m, at, last, assoc, assoc_len, data, max_len, end,
			    m->buffer);
		err = crypto_shash_update(desc, m->buffer, block) ?:
		      crypto_shash_export(desc, m->state);
		if (!err)
			keep_state(m, (u8 *)m->state, scr_ct_eq(at, last),
				   digest);
	}
	if (!err)
		err = crypto_shash_init(desc) ?:
		      crypto_shash_update(desc, m->outer, block) ?:
		      crypto_shash_finup(desc, digest, m->mac->size, out);
	shash_desc_zero(desc);
	memzero_explicit(m->state, sizeof(m->state));
	memzero_explicit(m->buffer, sizeof(m->buffer));
	return err;
}
