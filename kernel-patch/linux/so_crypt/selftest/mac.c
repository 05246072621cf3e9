// SPDX-License-Identifier: GPL-2.0
/* scr_ct_hmac() is HMAC, whatever part of the length is secret. */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/random.h>
#include <linux/string.h>
#include "../mac.h"
#include "selftest.h"

enum { MOST = 700, STEP = 3, ASSOC = 13 };

static int compare(struct scr_ct_mac *ct, struct crypto_shash *hmac, u8 size,
		   const u8 *data)
{
	u8 assoc[ASSOC], expected[64], found[64];
	u32 max_len, len;
	int err;

	get_random_bytes(assoc, sizeof(assoc));
	for (max_len = 0; max_len <= MOST; max_len += 37) {
		const u32 least = max_len - min_t(u32, 255, max_len);

		for (len = least; len <= max_len; len += STEP) {
			err = scr_hmac(hmac, assoc, ASSOC, data, len,
				       expected) ?:
			      scr_ct_hmac(ct, assoc, ASSOC, data, len, max_len,
					  255, found);
			if (err)
				return err;
			if (memcmp(expected, found, size))
				return -EBADMSG;
		}
	}
	return 0;
}

static int test(const char *name, const u8 *key, const u8 *data)
{
	const struct scr_mac *mac = scr_find_mac(name);
	struct crypto_shash *hmac = scr_hmac_create(mac, key, mac->size);
	struct scr_ct_mac *ct = scr_ct_mac_create(mac, key, mac->size);
	int err = -ENOENT;

	if (!IS_ERR(hmac) && !IS_ERR(ct))
		err = compare(ct, hmac, mac->size, data);
	if (!IS_ERR(hmac))
		scr_hmac_free(hmac);
	if (!IS_ERR(ct))
		scr_ct_mac_free(ct);
	return err;
}

int scr_selftest_mac(void)
{
	static u8 data[MOST];
	u8 key[64];

	get_random_bytes(key, sizeof(key));
	get_random_bytes(data, sizeof(data));
	return test("hmac(sha1)", key, data) ?:
	       test("hmac(sha256)", key, data) ?:
	       test("hmac(sha384)", key, data) ?:
	       test("hmac(sha512)", key, data);
}
