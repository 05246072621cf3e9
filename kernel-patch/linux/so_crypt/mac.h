/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SO_CRYPT_MAC_H
#define _SO_CRYPT_MAC_H

#include <linux/types.h>
#include "names.h"

struct crypto_shash;
struct scr_ct_mac;

struct crypto_shash *scr_hmac_create(const struct scr_mac *mac, const u8 *key,
				     unsigned int key_len);
void scr_hmac_free(struct crypto_shash *hmac);
int scr_hmac(struct crypto_shash *hmac, const u8 *assoc, unsigned int assoc_len,
	     const u8 *data, unsigned int len, u8 *out);

/* HMAC over a length that is secret, see mac_ct.c */
struct scr_ct_mac *scr_ct_mac_create(const struct scr_mac *mac, const u8 *key,
				     unsigned int key_len);
void scr_ct_mac_free(struct scr_ct_mac *m);
int scr_ct_hmac(struct scr_ct_mac *m, const u8 *assoc, unsigned int assoc_len,
		const u8 *data, u32 len, u32 max_len, u32 variation, u8 *out);
#endif
