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
 * Transforms that records of TLS and SSH need beyond those of IPsec: HMACs
 * that are not cut, AES-CTR whose counter block is given whole and may go on
 * from request to request (RFC 4344), chacha20-poly1305@openssh.com, and the
 * CBC-MAC of CCM (RFC 3610).
 */

#include <sys/param.h>
#include <sys/systm.h>

#include <crypto/md5.h>
#include <crypto/sha1.h>
#include <crypto/sha2.h>
#include <crypto/rmd160.h>
#include <crypto/aes.h>
#include <crypto/cryptodev.h>
#include <crypto/xform.h>
#include <crypto/chacha_private.h>
#include <crypto/poly1305.h>
#include <crypto/chachapoly.h>

/* In xform.c. */
int	MD5Update_int(void *, const u_int8_t *, u_int16_t);
int	SHA1Update_int(void *, const u_int8_t *, u_int16_t);
int	RMD160Update_int(void *, const u_int8_t *, u_int16_t);
int	SHA256Update_int(void *, const u_int8_t *, u_int16_t);
int	SHA384Update_int(void *, const u_int8_t *, u_int16_t);
int	SHA512Update_int(void *, const u_int8_t *, u_int16_t);

struct aes_ctr_128_ctx {
	AES_CTX		ac_key;
	u_int8_t	ac_block[AESCTR_BLOCKSIZE];
};

/* No larger than union authctx. */
struct aes_cbc_mac_ctx {
	AES_CTX		am_key;
	u_int8_t	am_block[AESCTR_BLOCKSIZE];
	u_int		am_fill;	/* bytes XORed into the block */
};

static int	aes_ctr_128_setkey(void *, u_int8_t *, int);
static void	aes_ctr_128_reinit(caddr_t, u_int8_t *);
static void	aes_ctr_128_crypt(caddr_t, u_int8_t *);
static int	chacha20_raw_setkey(void *, u_int8_t *, int);
static void	chacha20_raw_reinit(caddr_t, u_int8_t *);
static void	chacha20_ssh_reinit(caddr_t, u_int8_t *);
static void	chacha20_poly1305_ssh_Setkey(void *, const u_int8_t *,
		    u_int16_t);
static void	chacha20_poly1305_ssh_Reinit(void *, const u_int8_t *,
		    u_int16_t);
static int	chacha20_poly1305_ssh_Update(void *, const u_int8_t *,
		    u_int16_t);
static void	aes_cbc_mac_init(void *);
static void	aes_cbc_mac_setkey(void *, const u_int8_t *, u_int16_t);
static int	aes_cbc_mac_update(void *, const u_int8_t *, u_int16_t);
static void	aes_cbc_mac_final(u_int8_t *, void *);

const struct auth_hash auth_hash_hmac_md5_128 = {
	CRYPTO_MD5_HMAC_128, "HMAC-MD5-128",
	16, 16, 16, sizeof(MD5_CTX), HMAC_MD5_BLOCK_LEN,
	(void (*)(void *)) MD5Init, NULL, NULL,
	MD5Update_int,
	(void (*)(u_int8_t *, void *)) MD5Final
};

const struct auth_hash auth_hash_hmac_sha1_160 = {
	CRYPTO_SHA1_HMAC_160, "HMAC-SHA1-160",
	20, 20, 20, sizeof(SHA1_CTX), HMAC_SHA1_BLOCK_LEN,
	(void (*)(void *)) SHA1Init, NULL, NULL,
	SHA1Update_int,
	(void (*)(u_int8_t *, void *)) SHA1Final
};

const struct auth_hash auth_hash_hmac_ripemd_160_160 = {
	CRYPTO_RIPEMD160_HMAC_160, "HMAC-RIPEMD-160-160",
	20, 20, 20, sizeof(RMD160_CTX), HMAC_RIPEMD160_BLOCK_LEN,
	(void (*)(void *)) RMD160Init, NULL, NULL,
	RMD160Update_int,
	(void (*)(u_int8_t *, void *)) RMD160Final
};

const struct auth_hash auth_hash_hmac_sha2_256_256 = {
	CRYPTO_SHA2_256_HMAC_256, "HMAC-SHA2-256-256",
	32, 32, 32, sizeof(SHA2_CTX), HMAC_SHA2_256_BLOCK_LEN,
	(void (*)(void *)) SHA256Init, NULL, NULL,
	SHA256Update_int,
	(void (*)(u_int8_t *, void *)) SHA256Final
};

const struct auth_hash auth_hash_hmac_sha2_384_384 = {
	CRYPTO_SHA2_384_HMAC_384, "HMAC-SHA2-384-384",
	48, 48, 48, sizeof(SHA2_CTX), HMAC_SHA2_384_BLOCK_LEN,
	(void (*)(void *)) SHA384Init, NULL, NULL,
	SHA384Update_int,
	(void (*)(u_int8_t *, void *)) SHA384Final
};

const struct auth_hash auth_hash_hmac_sha2_512_512 = {
	CRYPTO_SHA2_512_HMAC_512, "HMAC-SHA2-512-512",
	64, 64, 64, sizeof(SHA2_CTX), HMAC_SHA2_512_BLOCK_LEN,
	(void (*)(void *)) SHA512Init, NULL, NULL,
	SHA512Update_int,
	(void (*)(u_int8_t *, void *)) SHA512Final
};

const struct enc_xform enc_xform_aes_ctr_128 = {
	CRYPTO_AES_CTR_128, "AES-CTR-128",
	16, 16, 16, 32,
	sizeof(struct aes_ctr_128_ctx),
	aes_ctr_128_crypt,
	aes_ctr_128_crypt,
	aes_ctr_128_setkey,
	aes_ctr_128_reinit
};

const struct enc_xform enc_xform_chacha20 = {
	CRYPTO_CHACHA20, "CHACHA20",
	CHACHA20_BLOCK_LEN, 8, 32, 32,
	sizeof(struct chacha20_ctx),
	chacha20_crypt,
	chacha20_crypt,
	chacha20_raw_setkey,
	chacha20_raw_reinit
};

const struct enc_xform enc_xform_chacha20_poly1305_ssh = {
	CRYPTO_CHACHA20_POLY1305_SSH, "CHACHA20-POLY1305-SSH",
	1, 8, 32, 32,
	sizeof(struct chacha20_ctx),
	chacha20_crypt,
	chacha20_crypt,
	chacha20_raw_setkey,
	chacha20_ssh_reinit
};

const struct auth_hash auth_hash_chacha20_poly1305_ssh = {
	CRYPTO_CHACHA20_POLY1305_SSH_MAC, "CHACHA20-POLY1305-SSH",
	CHACHA20_KEYSIZE, POLY1305_BLOCK_LEN, POLY1305_TAGLEN,
	sizeof(CHACHA20_POLY1305_CTX), CHACHA20_BLOCK_LEN,
	Chacha20_Poly1305_Init, chacha20_poly1305_ssh_Setkey,
	chacha20_poly1305_ssh_Reinit, chacha20_poly1305_ssh_Update,
	Chacha20_Poly1305_Final
};

const struct auth_hash auth_hash_aes_cbc_mac = {
	CRYPTO_AES_CBC_MAC, "AES-CBC-MAC",
	32, AESCTR_BLOCKSIZE, AESCTR_BLOCKSIZE,
	sizeof(struct aes_cbc_mac_ctx), AESCTR_BLOCKSIZE,
	aes_cbc_mac_init, aes_cbc_mac_setkey, NULL, aes_cbc_mac_update,
	aes_cbc_mac_final
};

/*
 * The HMAC with a full-length tag, or NULL.
 */
const struct auth_hash *
auth_hash_hmac_full(int alg)
{
	switch (alg) {
	case CRYPTO_MD5_HMAC_128:
		return (&auth_hash_hmac_md5_128);
	case CRYPTO_SHA1_HMAC_160:
		return (&auth_hash_hmac_sha1_160);
	case CRYPTO_RIPEMD160_HMAC_160:
		return (&auth_hash_hmac_ripemd_160_160);
	case CRYPTO_SHA2_256_HMAC_256:
		return (&auth_hash_hmac_sha2_256_256);
	case CRYPTO_SHA2_384_HMAC_384:
		return (&auth_hash_hmac_sha2_384_384);
	case CRYPTO_SHA2_512_HMAC_512:
		return (&auth_hash_hmac_sha2_512_512);
	}
	return (NULL);
}

static int
aes_ctr_128_setkey(void *sched, u_int8_t *key, int len)
{
	struct aes_ctr_128_ctx *ctx = sched;

	return (AES_Setkey(&ctx->ac_key, key, len));
}

static void
aes_ctr_128_reinit(caddr_t key, u_int8_t *iv)
{
	struct aes_ctr_128_ctx *ctx = (struct aes_ctr_128_ctx *)key;

	memcpy(ctx->ac_block, iv, AESCTR_BLOCKSIZE);
}

static void
aes_ctr_128_crypt(caddr_t key, u_int8_t *data)
{
	struct aes_ctr_128_ctx *ctx = (struct aes_ctr_128_ctx *)key;
	u_int8_t keystream[AESCTR_BLOCKSIZE];
	int i;

	AES_Encrypt(&ctx->ac_key, ctx->ac_block, keystream);
	for (i = 0; i < AESCTR_BLOCKSIZE; i++)
		data[i] ^= keystream[i];
	explicit_bzero(keystream, sizeof(keystream));
	/* The first block of the IV as it is, then the next ones. */
	for (i = AESCTR_BLOCKSIZE - 1; i >= 0; i--)
		if (++ctx->ac_block[i] != 0)
			break;
}

static int
chacha20_raw_setkey(void *sched, u_int8_t *key, int len)
{
	struct chacha20_ctx *ctx = sched;

	if (len != CHACHA20_KEYSIZE)
		return (-1);
	chacha_keysetup((chacha_ctx *)&ctx->block, key, CHACHA20_KEYSIZE * 8);
	return (0);
}

/*
 * 64 bits of nonce, 64 bits of counter, from 0.
 */
static void
chacha20_raw_reinit(caddr_t key, u_int8_t *iv)
{
	struct chacha20_ctx *ctx = (struct chacha20_ctx *)key;

	chacha_ivsetup((chacha_ctx *)ctx->block, iv, NULL);
}

/*
 * Block 0 is the key of Poly1305.
 */
static void
chacha20_ssh_reinit(caddr_t key, u_int8_t *iv)
{
	static const u_int8_t one[8] = { 1 };
	struct chacha20_ctx *ctx = (struct chacha20_ctx *)key;

	chacha_ivsetup((chacha_ctx *)ctx->block, iv, one);
}

static void
chacha20_poly1305_ssh_Setkey(void *xctx, const u_int8_t *key, u_int16_t klen)
{
	CHACHA20_POLY1305_CTX *ctx = xctx;

	chacha_keysetup((chacha_ctx *)&ctx->chacha, key, CHACHA20_KEYSIZE * 8);
}

static void
chacha20_poly1305_ssh_Reinit(void *xctx, const u_int8_t *iv, u_int16_t ivlen)
{
	CHACHA20_POLY1305_CTX *ctx = xctx;

	chacha_ivsetup((chacha_ctx *)&ctx->chacha, iv, NULL);
	chacha_encrypt_bytes((chacha_ctx *)&ctx->chacha, ctx->key, ctx->key,
	    POLY1305_KEYLEN);
	poly1305_init((poly1305_state *)&ctx->poly, ctx->key);
}

/*
 * Unlike RFC 8439, nothing is padded and no lengths follow.
 */
static int
chacha20_poly1305_ssh_Update(void *xctx, const u_int8_t *data, u_int16_t len)
{
	CHACHA20_POLY1305_CTX *ctx = xctx;

	poly1305_update((poly1305_state *)&ctx->poly, data, len);
	return (0);
}

static void
aes_cbc_mac_init(void *xctx)
{
	KASSERT(sizeof(struct aes_cbc_mac_ctx) <= sizeof(union authctx));
	memset(xctx, 0, sizeof(struct aes_cbc_mac_ctx));
}

static void
aes_cbc_mac_setkey(void *xctx, const u_int8_t *key, u_int16_t klen)
{
	struct aes_cbc_mac_ctx *ctx = xctx;

	AES_Setkey(&ctx->am_key, key, klen);
}

static int
aes_cbc_mac_update(void *xctx, const u_int8_t *data, u_int16_t len)
{
	struct aes_cbc_mac_ctx *ctx = xctx;

	while (len-- > 0) {
		ctx->am_block[ctx->am_fill++] ^= *data++;
		if (ctx->am_fill == AESCTR_BLOCKSIZE) {
			AES_Encrypt(&ctx->am_key, ctx->am_block,
			    ctx->am_block);
			ctx->am_fill = 0;
		}
	}
	return (0);
}

/*
 * The last block is padded with zeros, which change nothing.
 */
static void
aes_cbc_mac_final(u_int8_t *mac, void *xctx)
{
	struct aes_cbc_mac_ctx *ctx = xctx;

	if (ctx->am_fill != 0)
		AES_Encrypt(&ctx->am_key, ctx->am_block, ctx->am_block);
	memcpy(mac, ctx->am_block, AESCTR_BLOCKSIZE);
	explicit_bzero(ctx, sizeof(*ctx));
}
