// SPDX-License-Identifier: GPL-2.0
/* Which driver does an algorithm: one that is named, or else the choice of the kernel. */
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>
#include "internal.h"

static char prefer[256];
module_param_string(prefer, prefer, sizeof(prefer), 0444);
MODULE_PARM_DESC(prefer, "drivers to use where a program names none, separated by ':' (as in /proc/crypto)");

static struct crypto_tfm *alloc_tfm(enum cd_kind kind, const char *name)
{
	struct crypto_skcipher *skcipher;
	struct crypto_aead *aead;
	struct crypto_ahash *ahash;

	switch (kind) {
	case CD_SKCIPHER:
		skcipher = crypto_alloc_skcipher(name, 0, 0);
		return IS_ERR(skcipher) ? ERR_CAST(skcipher) : crypto_skcipher_tfm(skcipher);
	case CD_AEAD:
		aead = crypto_alloc_aead(name, 0, 0);
		return IS_ERR(aead) ? ERR_CAST(aead) : crypto_aead_tfm(aead);
	case CD_AHASH:
		ahash = crypto_alloc_ahash(name, 0, 0);
		return IS_ERR(ahash) ? ERR_CAST(ahash) : crypto_ahash_tfm(ahash);
	}
	return ERR_PTR(-EINVAL);
}

static void free_tfm(enum cd_kind kind, struct crypto_tfm *tfm)
{
	switch (kind) {
	case CD_SKCIPHER:
		crypto_free_skcipher(container_of(tfm, struct crypto_skcipher, base));
		break;
	case CD_AEAD:
		crypto_free_aead(container_of(tfm, struct crypto_aead, base));
		break;
	case CD_AHASH:
		crypto_free_ahash(container_of(tfm, struct crypto_ahash, base));
		break;
	}
}

/* This driver, if it does this algorithm. */
static struct crypto_tfm *alloc_driver(const struct cd_algorithm *algorithm, const char *driver)
{
	struct crypto_tfm *tfm = alloc_tfm(algorithm->kind, driver);

	/* Kernels differ in what they say of a driver that does something else. */
	if (IS_ERR(tfm))
		return PTR_ERR(tfm) == -EINVAL ? ERR_PTR(-ENOENT) : tfm;
	if (!strcmp(crypto_tfm_alg_name(tfm), algorithm->name) &&
	    !strcmp(crypto_tfm_alg_driver_name(tfm), driver))
		return tfm;
	free_tfm(algorithm->kind, tfm);
	return ERR_PTR(-ENOENT);
}

static struct crypto_tfm *alloc_preferred(const struct cd_algorithm *algorithm)
{
	char name[CRYPTO_MAX_ALG_NAME];
	const char *at = prefer;
	struct crypto_tfm *tfm;
	size_t len;

	for (; *at; at += len + (at[len] == ':')) {
		len = strcspn(at, ":");
		if (!len || len >= sizeof(name))
			continue;
		memcpy(name, at, len);
		name[len] = 0;
		tfm = alloc_driver(algorithm, name);
		if (!IS_ERR(tfm))
			return tfm;
	}
	return ERR_PTR(-ENOENT);
}

/*
 * A template, once named, makes a new algorithm that stays: not for everyone,
 * or the kernel's list of them could grow without end.
 */
int cd_check_driver_name(const char *name)
{
	if (strnlen(name, CRYPTODEV_MAX_ALG_NAME) == CRYPTODEV_MAX_ALG_NAME)
		return -EINVAL;
	if (strpbrk(name, "(),") && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

struct crypto_tfm *cd_tfm_new(const struct cd_algorithm *algorithm, const char *driver)
{
	struct crypto_tfm *tfm;

	if (*driver)
		return alloc_driver(algorithm, driver);
	tfm = alloc_preferred(algorithm);
	return IS_ERR(tfm) ? alloc_tfm(algorithm->kind, algorithm->name) : tfm;
}
