// SPDX-License-Identifier: GPL-2.0
#include <crypto/hash.h>
#include <linux/err.h>
#include "mac.h"

struct crypto_shash *scr_hmac_create(const struct scr_mac *mac, const u8 *key,
				     unsigned int key_len)
{
	struct crypto_shash *hmac = crypto_alloc_shash(mac->name, 0, 0);
	int err;

	if (IS_ERR(hmac))
		return hmac;
	err = crypto_shash_setkey(hmac, key, key_len);
	if (err) {
		crypto_free_shash(hmac);
		return ERR_PTR(err);
	}
	return hmac;
}

void scr_hmac_free(struct crypto_shash *hmac)
{
	if (hmac)
		crypto_free_shash(hmac);
}

int scr_hmac(struct crypto_shash *hmac, const u8 *assoc, unsigned int assoc_len,
	     const u8 *data, unsigned int len, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, hmac);
	int err;

	desc->tfm = hmac;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, assoc, assoc_len) ?:
	      crypto_shash_finup(desc, data, len, out);
	shash_desc_zero(desc);
	return err;
}
