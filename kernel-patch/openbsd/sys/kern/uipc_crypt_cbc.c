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

/*
 * SO_CRYPT: the MAC of MAC-then-encrypt frames, whose length is a secret.
 *
 * How long the padding is must not be seen in the time it takes (Lucky
 * Thirteen, AlFardan and Paterson 2013): the hash is always fed the blocks of
 * the longest possible payload, one at a time, and the state behind the block
 * that would have been the last is selected with masks.  The update functions
 * of libkern run the compression function once for each whole block that they
 * get on a block's boundary, and their state is in the open.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

#include <crypto/cryptodev.h>
#include <crypto/sha1.h>
#include <crypto/sha2.h>

union so_crypt_hashctx {
	SHA1_CTX	sha1;
	SHA2_CTX	sha2;
};

struct so_crypt_hash {
	const struct so_crypt_mac *sh_mac;
	union so_crypt_hashctx sh_inner;	/* behind the key and ipad */
	union so_crypt_hashctx sh_outer;	/* behind the key and opad */
};

/*
 * All ones or all zeros, of numbers below 2^31.
 */
static inline u_int32_t
ct_lt(u_int32_t a, u_int32_t b)
{
	return (0 - ((a - b) >> 31));
}

static inline u_int32_t
ct_eq(u_int32_t a, u_int32_t b)
{
	return (ct_lt(a ^ b, 1));
}

static void
so_crypt_hash_update(const struct so_crypt_mac *cm,
    union so_crypt_hashctx *ctx, const u_int8_t *p, u_int len)
{
	switch (cm->cm_len) {
	case SHA1_DIGEST_LENGTH:
		SHA1Update(&ctx->sha1, p, len);
		break;
	case SHA256_DIGEST_LENGTH:
		SHA256Update(&ctx->sha2, p, len);
		break;
	case SHA384_DIGEST_LENGTH:
		SHA384Update(&ctx->sha2, p, len);
		break;
	case SHA512_DIGEST_LENGTH:
		SHA512Update(&ctx->sha2, p, len);
		break;
	}
}

static void
so_crypt_hash_final(const struct so_crypt_mac *cm,
    union so_crypt_hashctx *ctx, u_int8_t *digest)
{
	switch (cm->cm_len) {
	case SHA1_DIGEST_LENGTH:
		SHA1Final(digest, &ctx->sha1);
		break;
	case SHA256_DIGEST_LENGTH:
		SHA256Final(digest, &ctx->sha2);
		break;
	case SHA384_DIGEST_LENGTH:
		SHA384Final(digest, &ctx->sha2);
		break;
	case SHA512_DIGEST_LENGTH:
		SHA512Final(digest, &ctx->sha2);
		break;
	}
}

/*
 * digest |= mask & the state, as the digest it would be.
 */
static void
so_crypt_hash_state(const struct so_crypt_mac *cm,
    const union so_crypt_hashctx *ctx, u_int32_t mask, u_int8_t *digest)
{
	u_int64_t word;
	int i;

	for (i = 0; i < cm->cm_len; i++) {
		if (cm->cm_len == SHA1_DIGEST_LENGTH)
			word = (u_int64_t)ctx->sha1.state[i / 4] << 32;
		else if (cm->cm_block == SHA256_BLOCK_LENGTH)
			word = (u_int64_t)ctx->sha2.state.st32[i / 4] << 32;
		else
			word = ctx->sha2.state.st64[i / 8];
		if (cm->cm_block == SHA256_BLOCK_LENGTH)
			word >>= 56 - 8 * (i % 4);
		else
			word >>= 56 - 8 * (i % 8);
		digest[i] |= word & mask;
	}
}

static void
so_crypt_hash_key(const struct so_crypt_mac *cm, union so_crypt_hashctx *ctx,
    const u_int8_t *key, int klen, u_int8_t pad)
{
	u_int8_t block[HMAC_MAX_BLOCK_LEN];
	int i;

	switch (cm->cm_len) {
	case SHA1_DIGEST_LENGTH:
		SHA1Init(&ctx->sha1);
		break;
	case SHA256_DIGEST_LENGTH:
		SHA256Init(&ctx->sha2);
		break;
	case SHA384_DIGEST_LENGTH:
		SHA384Init(&ctx->sha2);
		break;
	case SHA512_DIGEST_LENGTH:
		SHA512Init(&ctx->sha2);
		break;
	}
	for (i = 0; i < cm->cm_block; i++)
		block[i] = (i < klen ? key[i] : 0) ^ pad;
	so_crypt_hash_update(cm, ctx, block, cm->cm_block);
	explicit_bzero(block, sizeof(block));
}

/*
 * Keys are no longer than the shortest block (SO_CRYPT_MAX_KEY).
 */
int
so_crypt_hash_new(const struct so_crypt_mac *cm, const u_int8_t *key, int klen,
    struct so_crypt_hash **shp)
{
	struct so_crypt_hash *sh;

	if (klen > cm->cm_block)
		return (EINVAL);
	sh = malloc(sizeof(*sh), M_CRYPTO_DATA, M_WAITOK | M_ZERO);
	sh->sh_mac = cm;
	so_crypt_hash_key(cm, &sh->sh_inner, key, klen, HMAC_IPAD_VAL);
	so_crypt_hash_key(cm, &sh->sh_outer, key, klen, HMAC_OPAD_VAL);
	*shp = sh;
	return (0);
}

void
so_crypt_hash_free(struct so_crypt_hash *sh)
{
	if (sh == NULL)
		return;
	explicit_bzero(sh, sizeof(*sh));
	free(sh, M_CRYPTO_DATA, sizeof(*sh));
}

/*
 * One block of the padded message assoc || text[0 ... total - alen - 1].  The
 * bytes are selected by total and last, which are secret.
 */
static void
so_crypt_mte_block(const struct so_crypt_mac *cm, u_int i, u_int total,
    u_int last, const u_int8_t *assoc, u_int alen, const u_int8_t *text,
    u_int len, u_int8_t *block)
{
	u_int64_t bits = ((u_int64_t)total + cm->cm_block) * 8;
	u_int32_t is_last = ct_eq(i, last);
	u_int j, at, lenpos = cm->cm_block - 8;
	u_int8_t b;

	for (j = 0; j < cm->cm_block; j++) {
		at = i * cm->cm_block + j;
		b = 0;
		if (at < alen)
			b = assoc[at];
		else if (at - alen < len)
			b = text[at - alen];
		b &= ct_lt(at, total);
		b |= 0x80 & ct_eq(at, total);
		if (j >= lenpos)
			b |= (bits >> (56 - 8 * (j - lenpos))) & is_last;
		block[j] = b;
	}
}

/*
 * Compute the HMAC of assoc and the first paylen bytes of text, of which min
 * to max may be secret.
 */
static void
so_crypt_mte_hmac(struct so_crypt_hash *sh, const u_int8_t *assoc, u_int alen,
    const u_int8_t *text, u_int len, u_int min, u_int max, u_int paylen,
    u_int8_t *mac)
{
	const struct so_crypt_mac *cm = sh->sh_mac;
	union so_crypt_hashctx ctx = sh->sh_inner;
	u_int8_t block[HMAC_MAX_BLOCK_LEN], digest[SO_CRYPT_MAX_MAC];
	u_int bs = cm->cm_block, lensize = bs / 8, total = alen + paylen;
	u_int first, last, end, i;

	/* bs is a power of 2: no division by a variable. */
	i = ffs(bs) - 1;
	first = (alen + min) >> i;
	end = (alen + max + 1 + lensize + bs - 1) >> i;
	last = (total + lensize) >> i;

	if (first > 0) {
		so_crypt_hash_update(cm, &ctx, assoc, alen);
		so_crypt_hash_update(cm, &ctx, text, first * bs - alen);
	}
	memset(digest, 0, sizeof(digest));
	for (i = first; i < end; i++) {
		so_crypt_mte_block(cm, i, total, last, assoc, alen, text, len,
		    block);
		so_crypt_hash_update(cm, &ctx, block, bs);
		so_crypt_hash_state(cm, &ctx, ct_eq(i, last), digest);
	}

	ctx = sh->sh_outer;
	so_crypt_hash_update(cm, &ctx, digest, cm->cm_len);
	so_crypt_hash_final(cm, &ctx, mac);
	explicit_bzero(&ctx, sizeof(ctx));
	explicit_bzero(block, sizeof(block));
	explicit_bzero(digest, sizeof(digest));
}

/*
 * Check the decrypted payload | MAC | padding of len bytes, at least tag, and
 * one more with padding.  assoc is what the MAC covers before the payload, with
 * room at lenpos (unless -1) for the payload's length in two bytes.
 */
int
so_crypt_mte_check(struct so_crypt_hash *sh, const u_int8_t *assoc, int alen,
    const u_int8_t *text, u_int len, int padding, int tag, int lenpos,
    u_int *paylenp)
{
	u_int8_t head[8 + SO_CRYPT_MAX_HEADER], mac[SO_CRYPT_MAX_MAC];
	u_int32_t good = ~0U, bad = 0, pad = 0;
	u_int i, j, min, max, paylen;
	u_int8_t b;

	max = len - tag;
	min = max;
	if (padding) {
		max--;
		min = max > 255 ? max - 255 : 0;
		pad = text[len - 1];
		good = ~ct_lt(max, pad);
		for (i = 0; i < 256 && i < len; i++)
			bad |= (text[len - 1 - i] ^ pad) & ~ct_lt(pad, i);
		good &= ct_eq(bad, 0);
		pad &= good;
	}
	paylen = max - pad;

	memcpy(head, assoc, alen);
	if (lenpos >= 0) {
		head[lenpos] = paylen >> 8;
		head[lenpos + 1] = paylen;
	}
	so_crypt_mte_hmac(sh, head, alen, text, len, min, max, paylen, mac);

	/* The MAC that came is somewhere from min on. */
	for (bad = 0, j = 0; j < tag; j++) {
		for (b = 0, i = min + j; i <= max + j; i++)
			b |= text[i] & ct_eq(i, paylen + j);
		bad |= b ^ mac[j];
	}
	good &= ct_eq(bad, 0);
	explicit_bzero(mac, sizeof(mac));

	/* From here on the length is known to be the peer's. */
	*paylenp = paylen;
	return (good ? 0 : EBADMSG);
}
