// SPDX-License-Identifier: GPL-2.0
/* The hash or MAC of a session. The session's lock is held. */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/slab.h>
#include "internal.h"

int cd_hash_begin(struct cd_session *session)
{
	int err = crypto_wait_req(crypto_ahash_init(session->ahash_req), &session->wait);

	session->hashing = !err;
	return err;
}

int cd_hash_update(struct cd_session *session, struct scatterlist *sg, unsigned int len)
{
	int err;

	ahash_request_set_crypt(session->ahash_req, sg, NULL, len);
	err = crypto_wait_req(crypto_ahash_update(session->ahash_req), &session->wait);
	if (err)
		session->hashing = false;
	return err;
}

/* Leaves the result in session->digest. */
int cd_hash_end(struct cd_session *session)
{
	ahash_request_set_crypt(session->ahash_req, NULL, session->digest, 0);
	session->hashing = false;
	return crypto_wait_req(crypto_ahash_final(session->ahash_req), &session->wait);
}

/* The unfinished message of a session, or a new one. */
static u8 *export_hash(struct cd_session *session)
{
	u8 *state;
	int err = session->ahash ? 0 : -EINVAL;

	if (!err && !session->hashing)
		err = cd_hash_begin(session);
	if (err)
		return ERR_PTR(err);
	state = kzalloc(crypto_ahash_statesize(session->ahash), GFP_KERNEL_ACCOUNT);
	if (!state)
		return ERR_PTR(-ENOMEM);
	err = crypto_ahash_export(session->ahash_req, state);
	if (err) {
		kfree_sensitive(state);
		return ERR_PTR(err);
	}
	return state;
}

static int import_hash(struct cd_session *session, struct crypto_ahash *of, const u8 *state)
{
	int err;

	/* A state is what its driver makes it. */
	if (!session->ahash ||
	    crypto_ahash_tfm(session->ahash)->__crt_alg != crypto_ahash_tfm(of)->__crt_alg)
		return -EINVAL;
	err = crypto_ahash_import(session->ahash_req, state);
	session->hashing = !err;
	return err;
}

int cd_copy_hash(struct cd_file *file, const struct cphash_op *op)
{
	struct cd_session *from, *to;
	u8 *state;
	int err;

	if (op->src_ses == op->dst_ses)
		return -EINVAL;
	/* Never both locks at once. The reference to `from` keeps its transform. */
	from = cd_session_lock(file, op->src_ses);
	if (IS_ERR(from))
		return PTR_ERR(from);
	state = export_hash(from);
	mutex_unlock(&from->lock);
	if (IS_ERR(state)) {
		err = PTR_ERR(state);
		goto put;
	}
	to = cd_session_lock(file, op->dst_ses);
	if (IS_ERR(to)) {
		err = PTR_ERR(to);
	} else {
		err = import_hash(to, from->ahash, state);
		cd_session_unlock(to);
	}
	kfree_sensitive(state);
put:
	cd_session_put(from);
	return err;
}
