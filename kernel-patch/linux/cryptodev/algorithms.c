// SPDX-License-Identifier: GPL-2.0
/* The ABI's numbers and the kernel's names. */
#include <linux/kernel.h>
#include "internal.h"

static const struct cd_algorithm ciphers[] = {
	{ CRYPTO_DES_CBC,	CD_SKCIPHER, "cbc(des)" },
	{ CRYPTO_3DES_CBC,	CD_SKCIPHER, "cbc(des3_ede)" },
	{ CRYPTO_BLF_CBC,	CD_SKCIPHER, "cbc(blowfish)" },
	{ CRYPTO_AES_CBC,	CD_SKCIPHER, "cbc(aes)" },
	{ CRYPTO_NULL,		CD_SKCIPHER, "ecb(cipher_null)" },
	{ CRYPTO_AES_CTR,	CD_SKCIPHER, "ctr(aes)" },
	{ CRYPTO_AES_XTS,	CD_SKCIPHER, "xts(aes)", .whole = true },
	{ CRYPTO_AES_ECB,	CD_SKCIPHER, "ecb(aes)" },
	{ CRYPTO_AES_CFB,	CD_SKCIPHER, "cfb(aes)" },
	{ CRYPTO_AES_OFB,	CD_SKCIPHER, "ofb(aes)" },
	{ CRYPTO_CAMELLIA_CBC,	CD_SKCIPHER, "cbc(camellia)" },
	{ CRYPTO_AES_GCM,	CD_AEAD, "gcm(aes)", .whole = true },
	{ CRYPTO_AES_CCM,	CD_AEAD, "ccm(aes)", .whole = true },
};

static const struct cd_algorithm hashes[] = {
	{ CRYPTO_MD5,		CD_AHASH, "md5" },
	{ CRYPTO_RIPEMD160,	CD_AHASH, "rmd160" },
	{ CRYPTO_SHA1,		CD_AHASH, "sha1" },
	{ CRYPTO_SHA2_224,	CD_AHASH, "sha224" },
	{ CRYPTO_SHA2_256,	CD_AHASH, "sha256" },
	{ CRYPTO_SHA2_384,	CD_AHASH, "sha384" },
	{ CRYPTO_SHA2_512,	CD_AHASH, "sha512" },
	{ CRYPTO_MD5_HMAC,	CD_AHASH, "hmac(md5)", .keyed = true },
	{ CRYPTO_RIPEMD160_HMAC, CD_AHASH, "hmac(rmd160)", .keyed = true },
	{ CRYPTO_SHA1_HMAC,	CD_AHASH, "hmac(sha1)", .keyed = true },
	{ CRYPTO_SHA2_224_HMAC,	CD_AHASH, "hmac(sha224)", .keyed = true },
	{ CRYPTO_SHA2_256_HMAC,	CD_AHASH, "hmac(sha256)", .keyed = true },
	{ CRYPTO_SHA2_384_HMAC,	CD_AHASH, "hmac(sha384)", .keyed = true },
	{ CRYPTO_SHA2_512_HMAC,	CD_AHASH, "hmac(sha512)", .keyed = true },
};

static const struct cd_algorithm *find(const struct cd_algorithm *list, size_t count, u32 number)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].number == number)
			return &list[i];
	return NULL;
}

const struct cd_algorithm *cd_cipher(u32 number)
{
	return find(ciphers, ARRAY_SIZE(ciphers), number);
}

const struct cd_algorithm *cd_hash(u32 number)
{
	return find(hashes, ARRAY_SIZE(hashes), number);
}
