// SPDX-License-Identifier: GPL-2.0
/* A session: transforms with their keys, and one request of each. */
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "internal.h"

#define REQUEST_FLAGS (CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP)

static u8 *copy_key(const u8 __user *from, unsigned int len, unsigned int max)
{
	u8 *key;

	if (len > max)
		return ERR_PTR(-EINVAL);
	/* Even no key has an address. */
	key = kzalloc(len + 1, GFP_KERNEL_ACCOUNT);
	if (!key)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(key, from, len)) {
		kfree_sensitive(key);
		return ERR_PTR(-EFAULT);
	}
	return key;
}

static int init_skcipher(struct cd_session *session, struct crypto_tfm *tfm, const u8 *key,
			 unsigned int keylen)
{
	struct crypto_skcipher *skcipher = container_of(tfm, struct crypto_skcipher, base);

	session->skcipher = skcipher;
	session->ivsize = crypto_skcipher_ivsize(skcipher);
	session->blocksize = crypto_skcipher_blocksize(skcipher);
	session->alignmask = crypto_skcipher_alignmask(skcipher);
	if (session->ivsize > sizeof(session->iv))
		return -EINVAL;
	session->skcipher_req = skcipher_request_alloc(skcipher, GFP_KERNEL_ACCOUNT);
	if (!session->skcipher_req)
		return -ENOMEM;
	skcipher_request_set_callback(session->skcipher_req, REQUEST_FLAGS, crypto_req_done,
				      &session->wait);
	return crypto_skcipher_setkey(skcipher, key, keylen);
}

static int init_aead(struct cd_session *session, struct crypto_tfm *tfm, const u8 *key,
		     unsigned int keylen)
{
	struct crypto_aead *aead = container_of(tfm, struct crypto_aead, base);

	session->aead = aead;
	session->ivsize = crypto_aead_ivsize(aead);
	session->alignmask = crypto_aead_alignmask(aead);
	session->tagsize = crypto_aead_authsize(aead);
	if (session->ivsize > sizeof(session->iv))
		return -EINVAL;
	session->aead_req = aead_request_alloc(aead, GFP_KERNEL_ACCOUNT);
	if (!session->aead_req)
		return -ENOMEM;
	aead_request_set_callback(session->aead_req, REQUEST_FLAGS, crypto_req_done,
				  &session->wait);
	return crypto_aead_setkey(aead, key, keylen);
}

static int init_cipher(struct cd_session *session, const struct cd_session_spec *spec)
{
	struct crypto_tfm *tfm;
	u8 *key;
	int err;

	key = copy_key(spec->key, spec->keylen, CRYPTO_CIPHER_MAX_KEY_LEN);
	if (IS_ERR(key))
		return PTR_ERR(key);
	tfm = cd_tfm_new(session->cipher, spec->cipher_driver);
	if (IS_ERR(tfm))
		err = PTR_ERR(tfm);
	else if (session->cipher->kind == CD_AEAD)
		err = init_aead(session, tfm, key, spec->keylen);
	else
		err = init_skcipher(session, tfm, key, spec->keylen);
	kfree_sensitive(key);
	return err;
}

static int init_hash(struct cd_session *session, const struct cd_session_spec *spec)
{
	struct crypto_tfm *tfm;
	u8 *key;
	int err = 0;

	tfm = cd_tfm_new(session->hash, spec->mac_driver);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	session->ahash = container_of(tfm, struct crypto_ahash, base);
	if (crypto_ahash_digestsize(session->ahash) > sizeof(session->digest))
		return -EINVAL;
	session->ahash_req = ahash_request_alloc(session->ahash, GFP_KERNEL_ACCOUNT);
	if (!session->ahash_req)
		return -ENOMEM;
	ahash_request_set_callback(session->ahash_req, REQUEST_FLAGS, crypto_req_done,
				   &session->wait);
	if (session->hash->keyed) {
		key = copy_key(spec->mackey, spec->mackeylen, CRYPTO_HMAC_MAX_KEY_LEN);
		if (IS_ERR(key))
			return PTR_ERR(key);
		err = crypto_ahash_setkey(session->ahash, key, spec->mackeylen);
		kfree_sensitive(key);
	}
	return err;
}

static void session_free(struct cd_session *session)
{
	/* What was not reached is NULL, and the crypto API takes that but for requests. */
	if (session->skcipher_req)
		skcipher_request_free(session->skcipher_req);
	if (session->aead_req)
		aead_request_free(session->aead_req);
	if (session->ahash_req)
		ahash_request_free(session->ahash_req);
	if (session->skcipher)
		crypto_free_skcipher(session->skcipher);
	if (session->aead)
		crypto_free_aead(session->aead);
	if (session->ahash)
		crypto_free_ahash(session->ahash);
	cd_uncharge(session->user);
	mutex_destroy(&session->lock);
	kfree_sensitive(session);
}

static void session_release(struct kref *ref)
{
	session_free(container_of(ref, struct cd_session, ref));
}

void cd_session_put(struct cd_session *session)
{
	kref_put(&session->ref, session_release);
}

/* A session with one reference, the caller's. */
struct cd_session *cd_session_new(const struct cd_session_spec *spec)
{
	const struct cd_algorithm *cipher = cd_cipher(spec->cipher);
	const struct cd_algorithm *hash = cd_hash(spec->mac);
	struct cd_session *session;
	int err = 0;

	if (!!spec->cipher != !!cipher || !!spec->mac != !!hash || (!cipher && !hash))
		return ERR_PTR(-EINVAL);
	/* An AEAD has its own MAC. */
	if (cipher && cipher->kind == CD_AEAD && hash)
		return ERR_PTR(-EINVAL);
	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	session->user = cd_charge();
	if (IS_ERR(session->user)) {
		err = PTR_ERR(session->user);
		kfree(session);
		return ERR_PTR(err);
	}
	kref_init(&session->ref);
	mutex_init(&session->lock);
	crypto_init_wait(&session->wait);
	session->cipher = cipher;
	session->hash = hash;
	if (cipher)
		err = init_cipher(session, spec);
	if (!err && hash)
		err = init_hash(session, spec);
	if (err) {
		session_free(session);
		return ERR_PTR(err);
	}
	return session;
}

static void describe(struct alg_info *info, struct crypto_tfm *tfm, u32 *flags)
{
	strscpy(info->cra_name, crypto_tfm_alg_name(tfm), sizeof(info->cra_name));
	strscpy(info->cra_driver_name, crypto_tfm_alg_driver_name(tfm),
		sizeof(info->cra_driver_name));
	if (tfm->__crt_alg->cra_flags & CRYPTO_ALG_KERN_DRIVER_ONLY)
		*flags |= SIOP_FLAG_KERNEL_DRIVER_ONLY;
}

/* Fills in all but the session's number. */
void cd_session_describe(struct cd_session *session, struct session_info_op *info)
{
	u32 id = info->ses;

	memset(info, 0, sizeof(*info));
	info->ses = id;
	info->alignmask = session->alignmask;
	if (session->skcipher)
		describe(&info->cipher_info, crypto_skcipher_tfm(session->skcipher), &info->flags);
	if (session->aead)
		describe(&info->cipher_info, crypto_aead_tfm(session->aead), &info->flags);
	if (session->ahash)
		describe(&info->hash_info, crypto_ahash_tfm(session->ahash), &info->flags);
}
