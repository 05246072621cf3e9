// SPDX-License-Identifier: GPL-2.0
/* CIOCAUTHCRYPT: authenticated encryption. */
#include <crypto/aead.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "buffer.h"
#include "internal.h"

/* One operation, all checked. */
struct cd_aead_op {
	struct cd_session *session;
	bool encrypt;
	u8 *assoc;
	unsigned int assoc_len;
	size_t in, out;		/* bytes of src and dst */
};

static int run(const struct cd_aead_op *op, struct cd_buffer *from, struct cd_buffer *to)
{
	struct aead_request *req = op->session->aead_req;
	struct scatterlist *src = cd_buffer_sg_behind(from, op->assoc, op->assoc_len);
	struct scatterlist *dst = cd_buffer_sg_behind(to, op->assoc, op->assoc_len);

	aead_request_set_ad(req, op->assoc_len);
	aead_request_set_crypt(req, src, dst, op->in, op->session->iv);
	return crypto_wait_req(op->encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
			       &op->session->wait);
}

static int run_and_commit(const struct cd_aead_op *op, struct cd_buffer *from,
			  struct cd_buffer *to)
{
	int err = run(op, from, to);

	/* There may be plaintext in dst that nobody vouches for. */
	if (err)
		cd_buffer_zero(to);
	else
		err = cd_buffer_commit(to);
	return err;
}

static int run_in_place(const struct cd_aead_op *op, u8 __user *at, size_t in, size_t out,
			bool copy)
{
	struct cd_buffer buffer;
	int err = cd_buffer_map(&buffer, at, in, out, copy);

	if (!err)
		err = run_and_commit(op, &buffer, &buffer);
	cd_buffer_unmap(&buffer);
	return err;
}

static int run_apart(const struct cd_aead_op *op, u8 __user *src, u8 __user *dst, bool copy)
{
	struct cd_buffer from, to;
	int err;

	err = cd_buffer_map(&from, src, op->in, 0, copy);
	if (err)
		goto unmap_from;
	err = cd_buffer_map(&to, dst, 0, op->out, copy);
	if (!err)
		err = run_and_commit(op, &from, &to);
	cd_buffer_unmap(&to);
unmap_from:
	cd_buffer_unmap(&from);
	return err;
}

static int run_mapped(const struct cd_aead_op *op, u8 __user *src, u8 __user *dst, bool copy)
{
	/* The crypto API takes no empty lists: one that is empty is the other, or a copy of it. */
	if (!op->in)
		return run_in_place(op, dst, 0, op->out, copy);
	if (!op->out)
		return run_in_place(op, src, op->in, 0, true);
	if (src == dst)
		return run_in_place(op, dst, op->in, op->out, copy);
	return run_apart(op, src, dst, copy);
}

static bool is_ccm(const struct cd_session *session)
{
	return session->cipher->number == CRYPTO_AES_CCM;
}

/* The kernel takes CCM's first block (RFC 3610 2.3): its first byte tells the nonce's length. */
static int take_iv(struct cd_session *session, const struct crypt_auth_op *op)
{
	if (!op->iv)
		return -EINVAL;	/* no nonce is ever used twice by default */
	if (is_ccm(session) && op->iv_len >= 7 && op->iv_len <= 13) {
		memset(session->iv, 0, sizeof(session->iv));
		session->iv[0] = 14 - op->iv_len;
		return copy_from_user(session->iv + 1, op->iv, op->iv_len) ? -EFAULT : 0;
	}
	if (op->iv_len && op->iv_len != session->ivsize)
		return -EINVAL;
	return copy_from_user(session->iv, op->iv, session->ivsize) ? -EFAULT : 0;
}

static int take_tag_length(struct cd_session *session, u32 *tag_len)
{
	int err = 0;

	if (!*tag_len)
		*tag_len = crypto_aead_maxauthsize(session->aead);
	if (*tag_len != session->tagsize) {
		if (*tag_len > crypto_aead_maxauthsize(session->aead))
			return -EINVAL;
		err = crypto_aead_setauthsize(session->aead, *tag_len);
		if (!err)
			session->tagsize = *tag_len;
	}
	return err;
}

static int check(const struct cd_session *session, const struct crypt_auth_op *op)
{
	if (op->op != COP_ENCRYPT && op->op != COP_DECRYPT)
		return -EINVAL;
	if (op->flags & (COP_FLAG_AEAD_TLS_TYPE | COP_FLAG_AEAD_SRTP_TYPE))
		return -EOPNOTSUPP;
	if (op->flags & ~(COP_FLAG_NO_ZC | COP_FLAG_WRITE_IV))
		return -EINVAL;
	if (!session->aead)
		return -EINVAL;
	if (op->len > CD_MAX_REQUEST + AALG_MAX_RESULT_LEN || op->auth_len > CD_MAX_ASSOC)
		return -EMSGSIZE;
	return 0;
}

static int check_memory(const struct cd_aead_op *run, const struct crypt_auth_op *op)
{
	unsigned long src = (unsigned long)op->src;
	unsigned long dst = (unsigned long)op->dst;

	if (run->in && !access_ok(op->src, run->in))
		return -EFAULT;
	if (run->out && !access_ok(op->dst, run->out))
		return -EFAULT;
	if (run->in && run->out && src != dst && src < dst + run->out && dst < src + run->in)
		return -EINVAL;
	return 0;
}

static int authcrypt_locked(struct cd_session *session, struct crypt_auth_op *op)
{
	struct cd_aead_op run = { .session = session, .encrypt = op->op == COP_ENCRYPT };
	unsigned long address = (unsigned long)op->src | (unsigned long)op->dst;
	u32 tag_len = op->tag_len;
	int err;

	err = check(session, op);
	if (!err)
		err = take_tag_length(session, &tag_len);
	if (err)
		return err;
	if (!run.encrypt && op->len < tag_len)
		return -EINVAL;
	run.in = op->len;
	run.out = run.encrypt ? op->len + tag_len : op->len - tag_len;
	err = check_memory(&run, op);
	if (!err)
		err = take_iv(session, op);
	if (err)
		return err;
	run.assoc_len = op->auth_len;
	run.assoc = kmalloc(op->auth_len + 1, GFP_KERNEL_ACCOUNT);
	if (!run.assoc)
		return -ENOMEM;
	err = -EFAULT;
	if (!copy_from_user(run.assoc, op->auth_src, op->auth_len))
		err = run_mapped(&run, op->src, op->dst,
				 op->flags & COP_FLAG_NO_ZC || address & session->alignmask);
	kfree(run.assoc);
	if (!err) {
		op->len = run.out;
		op->tag_len = tag_len;
		op->tag = op->dst + (run.encrypt ? run.in : run.out);
	}
	return err;
}

int cd_authcrypt(struct cd_file *file, struct crypt_auth_op *op)
{
	struct cd_session *session = cd_session_lock(file, op->ses);
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);
	err = authcrypt_locked(session, op);
	cd_session_unlock(session);
	return err;
}
