/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SO_CRYPT_NAMES_H
#define _SO_CRYPT_NAMES_H

#include <linux/types.h>

enum scr_mode {
	SCR_MODE_AEAD,
	SCR_MODE_CBC,
	SCR_MODE_CTR,
	SCR_MODE_SSH_CHACHA,
};

/* Facts of a transform. */
struct scr_cipher {
	const char *name;	/* the crypto API's */
	enum scr_mode mode;
	u8 min_key;
	u8 max_key;
	u8 block;		/* of CBC and CTR: also the IV's length */
	u8 tag;
	bool xor_nonce;		/* TLS 1.2 with RFC 7905 2, not RFC 5288 3 */
	u64 limit;		/* frames under one key */
};

struct scr_mac {
	const char *name;
	const char *hash;
	u8 size;
	u8 block;
};

struct crypto_aead;
struct crypto_skcipher;

/* An instance of a transform; which member is set tells the kind. */
struct scr_tfm {
	struct crypto_aead *aead;
	struct crypto_skcipher *skcipher;
};

const struct scr_cipher *scr_alloc_cipher(const char *name,
					  struct scr_tfm *tfm);
void scr_free_tfm(struct scr_tfm *tfm);
const struct scr_mac *scr_find_mac(const char *name);
#endif
