// SPDX-License-Identifier: GPL-2.0
/* CIOCCRYPT: ciphers, hashes and MACs. */
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "buffer.h"
#include "internal.h"

static int run_cipher(struct cd_session *session, u16 op, struct scatterlist *src,
		      struct scatterlist *dst, unsigned int len)
{
	struct skcipher_request *req = session->skcipher_req;

	skcipher_request_set_crypt(req, src, dst, len, session->iv);
	return crypto_wait_req(op == COP_ENCRYPT ? crypto_skcipher_encrypt(req) :
						   crypto_skcipher_decrypt(req),
			       &session->wait);
}

/* The hash is that of the plaintext. */
static int run_both(struct cd_session *session, u16 op, struct scatterlist *src,
		    struct scatterlist *dst, unsigned int len)
{
	int err = 0;

	if (session->hash && (op == COP_ENCRYPT || !session->cipher))
		err = cd_hash_update(session, src, len);
	if (!err && session->cipher)
		err = run_cipher(session, op, src, dst, len);
	if (!err && session->hash && op == COP_DECRYPT && session->cipher)
		err = cd_hash_update(session, dst, len);
	return err;
}

static int crypt_part(struct cd_session *session, u16 op, u8 __user *src, u8 __user *dst,
		      size_t len, bool copy)
{
	bool in_place = session->cipher && src == dst;
	bool apart = session->cipher && !in_place;
	struct cd_buffer from, to;
	int err;

	err = cd_buffer_map(&from, src, len, in_place ? len : 0, copy);
	if (err)
		goto unmap_from;
	if (apart) {
		err = cd_buffer_map(&to, dst, 0, len, copy);
		if (err)
			goto unmap_to;
	}
	err = run_both(session, op, cd_buffer_sg(&from), cd_buffer_sg(apart ? &to : &from), len);
	if (!err && session->cipher)
		err = cd_buffer_commit(apart ? &to : &from);
unmap_to:
	if (apart)
		cd_buffer_unmap(&to);
unmap_from:
	cd_buffer_unmap(&from);
	return err;
}

static bool must_copy(const struct cd_session *session, const struct crypt_op *op)
{
	unsigned long address = (unsigned long)op->src;

	if (op->flags & COP_FLAG_NO_ZC)
		return true;
	if (session->cipher)
		address |= (unsigned long)op->dst;
	return address & session->alignmask;
}

static int crypt_all(struct cd_session *session, const struct crypt_op *op)
{
	bool whole = session->cipher && session->cipher->whole;
	bool copy = must_copy(session, op);
	size_t most = whole ? CD_MAX_REQUEST : CD_MAX_PART;
	size_t done, len;
	int err;

	for (done = 0; done < op->len; done += len) {
		if (fatal_signal_pending(current))
			return -EINTR;
		len = min_t(size_t, op->len - done, most);
		err = crypt_part(session, op->op, op->src + done, op->dst + done, len, copy);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int check(const struct cd_session *session, const struct crypt_op *op)
{
	unsigned long src = (unsigned long)op->src;
	unsigned long dst = (unsigned long)op->dst;

	if (op->op != COP_ENCRYPT && op->op != COP_DECRYPT)
		return -EINVAL;
	if (op->flags & (COP_FLAG_AEAD_TLS_TYPE | COP_FLAG_AEAD_SRTP_TYPE))
		return -EOPNOTSUPP;
	if (session->aead)
		return -EINVAL;
	if (op->len && !access_ok(op->src, op->len))
		return -EFAULT;
	if (!session->cipher)
		return 0;
	if (op->len % session->blocksize)
		return -EINVAL;
	if (session->cipher->whole && op->len > CD_MAX_REQUEST)
		return -EMSGSIZE;
	if (op->len && !access_ok(op->dst, op->len))
		return -EFAULT;
	if (src != dst && src < dst + op->len && dst < src + op->len)
		return -EINVAL;
	return 0;
}

static bool ends_message(const struct crypt_op *op)
{
	if (op->flags & COP_FLAG_FINAL || !(op->flags & COP_FLAG_UPDATE))
		return true;
	/* From before there was FINAL. */
	return !op->len && op->mac;
}

static int crypt_locked(struct cd_session *session, const struct crypt_op *op)
{
	bool anew = !(op->flags & (COP_FLAG_UPDATE | COP_FLAG_FINAL)) || op->flags & COP_FLAG_RESET;
	int err = check(session, op);

	if (!err && session->hash && (anew || !session->hashing))
		err = cd_hash_begin(session);
	if (err)
		return err;
	if (session->cipher && op->iv && copy_from_user(session->iv, op->iv, session->ivsize))
		return -EFAULT;
	err = crypt_all(session, op);
	if (err)
		return err;
	if (session->cipher && op->iv && op->flags & COP_FLAG_WRITE_IV &&
	    copy_to_user(op->iv, session->iv, session->ivsize))
		return -EFAULT;
	if (session->hash && ends_message(op)) {
		err = cd_hash_end(session);
		if (!err && copy_to_user(op->mac, session->digest,
					 crypto_ahash_digestsize(session->ahash)))
			err = -EFAULT;
	}
	return err;
}

int cd_crypt(struct cd_file *file, const struct crypt_op *op)
{
	struct cd_session *session = cd_session_lock(file, op->ses);
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = crypt_locked(session, op);
	cd_session_unlock(session);
	return err;
}
