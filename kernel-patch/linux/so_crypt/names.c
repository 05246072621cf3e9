// SPDX-License-Identifier: GPL-2.0
/*
 * Which transforms there are, and who may name what.
 *
 * An unprivileged user names a transform of this table, or a driver that is
 * there already and does one of these. So nobody loads a module or builds a
 * template through us that he could not have otherwise.
 */
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/string.h>
#include "names.h"

/* RFC 8446 5.5 and RFC 9325 4.4: 2^24.5 full records under one key. */
#define AES_AEAD_LIMIT	23726566ULL
/* The sequence number or the birthday bound are further away than this. */
#define NO_LIMIT	BIT_ULL(48)
/* 2^32 blocks of 8 bytes, SP 800-67. */
#define DES_LIMIT	BIT_ULL(21)

static const struct scr_cipher ciphers[] = {
	{ "gcm(aes)", SCR_MODE_AEAD, 16, 32, 1, 16, false, AES_AEAD_LIMIT },
	{ "ccm(aes)", SCR_MODE_AEAD, 16, 32, 1, 16, false, AES_AEAD_LIMIT },
	{ "rfc7539(chacha20,poly1305)", SCR_MODE_AEAD, 32, 32, 1, 16, true,
	  NO_LIMIT },
	{ "cbc(aes)", SCR_MODE_CBC, 16, 32, 16, 0, false, NO_LIMIT },
	{ "cbc(des3_ede)", SCR_MODE_CBC, 24, 24, 8, 0, false, DES_LIMIT },
	{ "ctr(aes)", SCR_MODE_CTR, 16, 32, 16, 0, false, NO_LIMIT },
	{ "chacha20-poly1305@openssh.com", SCR_MODE_SSH_CHACHA, 64, 64, 8, 16,
	  false, NO_LIMIT },
};

static const struct scr_mac macs[] = {
	{ "hmac(sha1)", "sha1", 20, 64 },
	{ "hmac(sha256)", "sha256", 32, 64 },
	{ "hmac(sha384)", "sha384", 48, 128 },
	{ "hmac(sha512)", "sha512", 64, 128 },
};

static const struct scr_cipher *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (!strcmp(ciphers[i].name, name))
			return &ciphers[i];
	return NULL;
}

const struct scr_mac *scr_find_mac(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(macs); i++)
		if (!strcmp(macs[i].name, name))
			return &macs[i];
	return NULL;
}

static bool may_name(const char *name)
{
	const bool admin = capable(CAP_NET_ADMIN);

	if (!*name)
		return false;
	for (; *name; name++) {
		if (islower(*name) || isdigit(*name) || *name == '-' ||
		    *name == '_')
			continue;
		if (!admin || !isgraph(*name))
			return false;
	}
	return true;
}

/* The algorithm that an instance implements, or NULL if it is none of ours. */
static const struct scr_cipher *implemented(struct scr_tfm *tfm)
{
	const struct scr_cipher *c;

	if (tfm->aead) {
		c = find(crypto_tfm_alg_name(crypto_aead_tfm(tfm->aead)));
		return c && c->mode == SCR_MODE_AEAD ? c : NULL;
	}
	c = find(crypto_tfm_alg_name(crypto_skcipher_tfm(tfm->skcipher)));
	return c && (c->mode == SCR_MODE_CBC || c->mode == SCR_MODE_CTR) ?
	       c : NULL;
}

/* Why there is no driver: one of another kind is no reason. */
static void *no_driver(void *tfm)
{
	return ERR_PTR(PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -ENOENT);
}

static const struct scr_cipher *alloc_driver(const char *name,
					     struct scr_tfm *tfm)
{
	const u32 mask = capable(CAP_NET_ADMIN) ? 0 : CRYPTO_NOLOAD;
	struct crypto_skcipher *skcipher;
	struct crypto_aead *aead;
	const struct scr_cipher *c;

	if (!may_name(name))
		return ERR_PTR(-EINVAL);
	skcipher = crypto_alloc_skcipher(name, 0, mask);
	if (PTR_ERR(skcipher) == -ENOMEM)
		return no_driver(skcipher);
	if (IS_ERR(skcipher)) {
		aead = crypto_alloc_aead(name, 0, mask);
		if (IS_ERR(aead))
			return no_driver(aead);
		tfm->aead = aead;
	} else {
		tfm->skcipher = skcipher;
	}
	c = implemented(tfm);
	if (!c) {
		scr_free_tfm(tfm);
		return ERR_PTR(-EINVAL);
	}
	return c;
}

const struct scr_cipher *scr_alloc_cipher(const char *name, struct scr_tfm *tfm)
{
	const struct scr_cipher *c = find(name);

	memset(tfm, 0, sizeof(*tfm));
	if (!c)
		return alloc_driver(name, tfm);
	switch (c->mode) {
	case SCR_MODE_AEAD:
		tfm->aead = crypto_alloc_aead(name, 0, 0);
		if (IS_ERR(tfm->aead)) {
			c = ERR_CAST(tfm->aead);
			tfm->aead = NULL;
		}
		break;
	case SCR_MODE_CBC:
	case SCR_MODE_CTR:
		tfm->skcipher = crypto_alloc_skcipher(name, 0, 0);
		if (IS_ERR(tfm->skcipher)) {
			c = ERR_CAST(tfm->skcipher);
			tfm->skcipher = NULL;
		}
		break;
	case SCR_MODE_SSH_CHACHA:
		break;
	}
	return c;
}

void scr_free_tfm(struct scr_tfm *tfm)
{
	if (tfm->aead)
		crypto_free_aead(tfm->aead);
	if (tfm->skcipher)
		crypto_free_skcipher(tfm->skcipher);
	tfm->aead = NULL;
	tfm->skcipher = NULL;
}
