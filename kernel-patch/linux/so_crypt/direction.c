// SPDX-License-Identifier: GPL-2.0
/* From what setsockopt() was given to a direction that can seal or open. */
#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/sha2.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "direction.h"
#include "mac.h"
#include "module.h"
#include "ssh_chacha.h"

static int set_key(struct scr_direction *d, const struct so_crypt_info *info)
{
	int err;

	if (info->key_len < d->cipher->min_key ||
	    info->key_len > d->cipher->max_key)
		return -EINVAL;
	if (d->cipher->mode == SCR_MODE_SSH_CHACHA) {
		d->chacha = scr_ssh_chacha_create(info->key);
		return d->chacha ? 0 : -ENOMEM;
	}
	if (d->tfm.aead) {
		err = crypto_aead_setauthsize(d->tfm.aead, d->layout.tag);
		return err ?: crypto_aead_setkey(d->tfm.aead, info->key,
						 info->key_len);
	}
	err = crypto_skcipher_setkey(d->tfm.skcipher, info->key, info->key_len);
	if (err || !d->layout.hidden_length)
		return err;
	d->peek = kmalloc(sizeof(*d->peek), GFP_KERNEL);
	if (!d->peek)
		return -ENOMEM;
	return scr_aes_expand(d->peek, info->key, info->key_len);
}

static int set_mac(struct scr_direction *d, const struct so_crypt_info *info)
{
	const bool custom = info->protocol == SO_CRYPT_CUSTOM;

	if (!d->mac)
		return info->mac_key_len ? -EINVAL : 0;
	if (custom ? info->mac_key_len < 10 : info->mac_key_len != d->mac->size)
		return -EINVAL;
	d->hmac = scr_hmac_create(d->mac, info->mac_key, info->mac_key_len);
	if (IS_ERR(d->hmac)) {
		const int err = PTR_ERR(d->hmac);

		d->hmac = NULL;
		return err;
	}
	if (d->writing || d->layout.order != SCR_ORDER_MAC_THEN_ENCRYPT ||
	    d->layout.padding != SCR_PADDING_TLS)
		return 0;
	d->ct_mac = scr_ct_mac_create(d->mac, info->mac_key, info->mac_key_len);
	if (IS_ERR(d->ct_mac)) {
		const int err = PTR_ERR(d->ct_mac);

		d->ct_mac = NULL;
		return err;
	}
	return 0;
}

static int set_iv(struct scr_direction *d, const struct so_crypt_info *info)
{
	const struct scr_layout *l = &d->layout;
	const bool explicit_nonce = l->nonce == SCR_NONCE_EXPLICIT_COUNTER;

	d->explicit_counter = info->sequence;
	if (explicit_nonce && info->iv_len == l->fixed_iv + l->explicit_iv)
		d->explicit_counter = scr_get_be(info->iv + l->fixed_iv,
						 l->explicit_iv);
	else if (info->iv_len != l->fixed_iv)
		return -EINVAL;
	memcpy(d->iv, info->iv, l->fixed_iv);
	return 0;
}

static int set_numbers(struct scr_direction *d,
		       const struct so_crypt_info *info)
{
	if (info->depth > SO_CRYPT_MAX_DEPTH || info->sequence == U64_MAX)
		return -EINVAL;
	d->depth = info->depth ?: scr_default_depth();
	d->sequence = info->sequence;
	d->limit = info->limit ?: d->cipher->limit;
	if (info->protocol != SO_CRYPT_SSH)
		return 0;
	if (info->sequence > U32_MAX)
		return -EINVAL;
	/* A sequence number must not come twice under one key. */
	d->limit = min(d->limit, 1ULL << 32);
	return 0;
}

static void set_fingerprint(struct scr_direction *d,
			    const struct so_crypt_info *info)
{
	u8 data[SO_CRYPT_MAX_KEY] = {};
	u8 digest[SHA256_DIGEST_SIZE];

	/* Without the IV: a key with another IV is no new key. */
	memcpy(data, info->key, info->key_len);
	sha256(data, sizeof(data), digest);
	memcpy(d->fingerprint, digest, sizeof(d->fingerprint));
	memzero_explicit(data, sizeof(data));
	memzero_explicit(digest, sizeof(digest));
}

bool scr_same_key(const struct scr_direction *a, const struct scr_direction *b)
{
	return !crypto_memneq(a->fingerprint, b->fingerprint,
			      sizeof(a->fingerprint));
}

static void set_async(struct scr_direction *d)
{
	const struct crypto_tfm *tfm;

	if (d->chacha)
		return;
	tfm = d->tfm.aead ? crypto_aead_tfm(d->tfm.aead) :
			    crypto_skcipher_tfm(d->tfm.skcipher);
	d->async = tfm->__crt_alg->cra_flags & CRYPTO_ALG_ASYNC;
}

struct scr_direction *scr_direction_create(const struct so_crypt_info *info)
{
	struct scr_direction *d;
	int err = -EINVAL;

	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return ERR_PTR(-ENOMEM);
	d->protocol = info->protocol;
	d->flags = info->flags;
	d->writing = info->direction == SO_CRYPT_WRITE;
	if (*info->mac) {
		d->mac = scr_find_mac(info->mac);
		if (!d->mac) {
			err = -ENOENT;
			goto err_free;
		}
	}
	d->cipher = scr_alloc_cipher(info->cipher, &d->tfm);
	if (IS_ERR(d->cipher)) {
		err = PTR_ERR(d->cipher);
		goto err_free;
	}
	err = scr_layout_init(&d->layout, info, d->cipher, d->mac);
	if (!err)
		err = set_key(d, info);
	if (!err)
		err = set_mac(d, info);
	if (!err)
		err = set_iv(d, info);
	if (!err)
		err = set_numbers(d, info);
	if (err)
		goto err_free;
	set_fingerprint(d, info);
	set_async(d);
	return d;

err_free:
	scr_direction_free(d);
	return ERR_PTR(err);
}

void scr_direction_free(struct scr_direction *d)
{
	if (!d)
		return;
	scr_free_tfm(&d->tfm);
	scr_ssh_chacha_free(d->chacha);
	scr_hmac_free(d->hmac);
	scr_ct_mac_free(d->ct_mac);
	kfree_sensitive(d->peek);
	kfree_sensitive(d);
}

void scr_direction_status(const struct scr_direction *d,
			  struct so_crypt_direction_status *status)
{
	const char *driver = d->cipher->name;

	if (d->tfm.aead)
		driver = crypto_tfm_alg_driver_name(crypto_aead_tfm(d->tfm.aead));
	else if (d->tfm.skcipher)
		driver = crypto_skcipher_driver_name(d->tfm.skcipher);
	status->state = SO_CRYPT_STATE_ARMED;
	if (d->async)
		status->state |= SO_CRYPT_STATE_ASYNC;
	status->protocol = d->protocol;
	status->flags = d->flags;
	status->tag_len = d->layout.tag;
	status->max_payload = d->layout.max_payload;
	status->depth = scr_is_serial(d) ? 1 : d->depth;
	status->sequence = d->sequence;
	status->frames = d->frames;
	status->limit = d->limit;
	strscpy(status->cipher, d->cipher->name, SO_CRYPT_NAME_LEN);
	strscpy(status->driver, driver, SO_CRYPT_NAME_LEN);
	if (d->mac)
		strscpy(status->mac, d->mac->name, SO_CRYPT_NAME_LEN);
}
