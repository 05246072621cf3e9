/*
 * Copyright (c) 2026 The so-crypt authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * /dev/crypto: crypto(9) for programs, with the ioctl(2)s of OpenBSD up to 5.6.
 * See crypto(4).  Off unless kern.usercrypto is set.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/conf.h>
#include <sys/fcntl.h>
#include <sys/file.h>
#include <sys/filedesc.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/rwlock.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <crypto/cryptodev.h>
#include <crypto/xform.h>

#define CRYPTODEV_MAX_DATA	(256 * 1024 - 4)
#define CRYPTODEV_MAX_SESSIONS	128	/* of a descriptor */
/* Hashes are fed in pieces whose length has 16 bits: struct auth_hash. */
#define CRYPTODEV_PIECE		(32 * 1024)

int	usercrypto = 0;			/* programs may use crypto(9) */
int	cryptodevallowsoft = 1;		/* also where it is software */

struct crypto_ses {
	LIST_ENTRY(crypto_ses)	 cs_entry;
	u_int32_t		 cs_id;		/* the program's number */
	u_int64_t		 cs_sid;	/* crypto(9)'s */
	const struct enc_xform	*cs_txf;	/* or NULL */
	const struct auth_hash	*cs_axf;	/* or NULL */
	int			 cs_klen;	/* bits */
	int			 cs_mklen;
	int			 cs_dead;
};

/* What CRIOGET makes: sessions are its own. */
struct crypto_fd {
	struct rwlock		 cf_lock;	/* all below, and requests */
	LIST_HEAD(, crypto_ses)	 cf_sessions;
	u_int			 cf_count;
	u_int32_t		 cf_next;
};

int	crypto_fread(struct file *, struct uio *, int);
int	crypto_fioctl(struct file *, u_long, caddr_t, struct proc *);
int	crypto_fkqfilter(struct file *, struct knote *);
int	crypto_fstat(struct file *, struct stat *, struct proc *);
int	crypto_fclose(struct file *, struct proc *);

static const struct fileops cryptofops = {
	.fo_read	= crypto_fread,
	.fo_write	= crypto_fread,
	.fo_ioctl	= crypto_fioctl,
	.fo_kqfilter	= crypto_fkqfilter,
	.fo_stat	= crypto_fstat,
	.fo_close	= crypto_fclose
};

/* Stands for the keys, which drivers have from the session. */
static u_int8_t crypto_nokey[128];

static const struct enc_xform *
crypto_cipher(u_int32_t alg)
{
	switch (alg) {
	case CRYPTO_3DES_CBC:
		return (&enc_xform_3des);
	case CRYPTO_BLF_CBC:
		return (&enc_xform_blf);
	case CRYPTO_CAST_CBC:
		return (&enc_xform_cast5);
	case CRYPTO_AES_CBC:
		return (&enc_xform_aes);
	case CRYPTO_AES_CTR:
		return (&enc_xform_aes_ctr);
	case CRYPTO_AES_CTR_128:
		return (&enc_xform_aes_ctr_128);
	case CRYPTO_AES_XTS:
		return (&enc_xform_aes_xts);
	}
	return (NULL);
}

static const struct auth_hash *
crypto_hash(u_int32_t alg)
{
	switch (alg) {
	case CRYPTO_MD5_HMAC:
		return (&auth_hash_hmac_md5_96);
	case CRYPTO_SHA1_HMAC:
		return (&auth_hash_hmac_sha1_96);
	case CRYPTO_RIPEMD160_HMAC:
		return (&auth_hash_hmac_ripemd_160_96);
	case CRYPTO_SHA2_256_HMAC:
		return (&auth_hash_hmac_sha2_256_128);
	case CRYPTO_SHA2_384_HMAC:
		return (&auth_hash_hmac_sha2_384_192);
	case CRYPTO_SHA2_512_HMAC:
		return (&auth_hash_hmac_sha2_512_256);
	}
	return (auth_hash_hmac_full(alg));
}

static void
crypto_ses_free(struct crypto_fd *cf, struct crypto_ses *cs)
{
	LIST_REMOVE(cs, cs_entry);
	cf->cf_count--;
	KERNEL_LOCK();
	crypto_freesession(cs->cs_sid);
	KERNEL_UNLOCK();
	free(cs, M_CRYPTO_DATA, sizeof(*cs));
}

static struct crypto_ses *
crypto_ses_find(struct crypto_fd *cf, u_int32_t id)
{
	struct crypto_ses *cs;

	LIST_FOREACH(cs, &cf->cf_sessions, cs_entry)
		if (cs->cs_id == id)
			return (cs);
	return (NULL);
}

/*
 * CIOCGSESSION, with the keys at hand.
 */
static int
crypto_ses_new(struct crypto_fd *cf, struct session_op *sop,
    struct crypto_ses *cs, u_int8_t *key, u_int8_t *mackey)
{
	struct cryptoini cri, cra;
	int error;

	memset(&cri, 0, sizeof(cri));
	memset(&cra, 0, sizeof(cra));
	cri.cri_alg = sop->cipher;
	cri.cri_klen = cs->cs_klen = sop->keylen * 8;
	cri.cri_key = (caddr_t)key;
	cra.cri_alg = sop->mac;
	cra.cri_klen = cs->cs_mklen = sop->mackeylen * 8;
	cra.cri_key = (caddr_t)mackey;
	if (cs->cs_txf != NULL && cs->cs_axf != NULL)
		cri.cri_next = &cra;

	if ((cs->cs_txf != NULL &&
	    (error = copyin(sop->key, key, sop->keylen)) != 0) ||
	    (cs->cs_axf != NULL &&
	    (error = copyin(sop->mackey, mackey, sop->mackeylen)) != 0))
		return (error);

	KERNEL_LOCK();
	error = crypto_newsession(&cs->cs_sid, cs->cs_txf != NULL ? &cri :
	    &cra, !cryptodevallowsoft);
	KERNEL_UNLOCK();
	if (error != 0)
		return (error);

	/* Numbers are not used again soon. */
	do {
		cs->cs_id = cf->cf_next++;
	} while (crypto_ses_find(cf, cs->cs_id) != NULL);
	sop->ses = cs->cs_id;
	LIST_INSERT_HEAD(&cf->cf_sessions, cs, cs_entry);
	cf->cf_count++;
	return (0);
}

static int
crypto_gsession(struct crypto_fd *cf, struct session_op *sop)
{
	u_int8_t key[128], mackey[HMAC_MAX_BLOCK_LEN];
	struct crypto_ses *cs;
	int error;

	if (cf->cf_count >= CRYPTODEV_MAX_SESSIONS)
		return (EMFILE);
	cs = malloc(sizeof(*cs), M_CRYPTO_DATA, M_WAITOK | M_ZERO);
	error = EINVAL;
	if (sop->cipher != 0) {
		cs->cs_txf = crypto_cipher(sop->cipher);
		if (cs->cs_txf == NULL ||
		    sop->keylen < cs->cs_txf->minkey ||
		    sop->keylen > cs->cs_txf->maxkey)
			goto fail;
	}
	if (sop->mac != 0) {
		cs->cs_axf = crypto_hash(sop->mac);
		/* What is longer than a block, drivers do not hash. */
		if (cs->cs_axf == NULL || sop->mackeylen < 1 ||
		    sop->mackeylen > cs->cs_axf->blocksize)
			goto fail;
	}
	if (cs->cs_txf == NULL && cs->cs_axf == NULL)
		goto fail;
	error = crypto_ses_new(cf, sop, cs, key, mackey);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(mackey, sizeof(mackey));
	if (error == 0)
		return (0);
fail:
	free(cs, M_CRYPTO_DATA, sizeof(*cs));
	return (error);
}

/*
 * Have crypto(9) work on buf.  The MAC is that of the bytes as they came in.
 */
static int
crypto_request(struct crypto_ses *cs, const struct crypt_op *cop,
    u_int8_t *buf, const u_int8_t *iv, u_int8_t *mac)
{
	struct cryptop *crp;
	struct cryptodesc *crd;
	struct iovec iov[howmany(CRYPTODEV_MAX_DATA, CRYPTODEV_PIECE)];
	struct uio uio;
	u_int off = 0;
	int error, i;

	crp = crypto_getreq((cs->cs_txf != NULL) + (cs->cs_axf != NULL));
	if (crp == NULL)
		return (ENOMEM);
	crd = crp->crp_desc;
	if (cs->cs_axf != NULL) {
		crd->crd_alg = cs->cs_axf->type;
		crd->crd_key = (caddr_t)crypto_nokey;
		crd->crd_klen = cs->cs_mklen;
		crd->crd_len = cop->len;
		crd++;
	}
	if (cs->cs_txf != NULL) {
		crd->crd_alg = cs->cs_txf->type;
		crd->crd_key = (caddr_t)crypto_nokey;
		crd->crd_klen = cs->cs_klen;
		crd->crd_len = cop->len;
		crd->crd_flags = CRD_F_IV_EXPLICIT | CRD_F_IV_PRESENT |
		    (cop->op == COP_ENCRYPT ? CRD_F_ENCRYPT : 0);
		memcpy(crd->crd_iv, iv, cs->cs_txf->ivsize);
	}

	memset(&uio, 0, sizeof(uio));
	for (i = 0; off < cop->len; i++) {
		iov[i].iov_base = buf + off;
		iov[i].iov_len = MIN(cop->len - off, CRYPTODEV_PIECE);
		off += iov[i].iov_len;
	}
	uio.uio_iov = iov;
	uio.uio_iovcnt = i;
	uio.uio_resid = cop->len;
	crp->crp_ilen = crp->crp_olen = cop->len;
	crp->crp_flags = CRYPTO_F_IOV;
	crp->crp_buf = &uio;
	crp->crp_mac = (caddr_t)mac;
	crp->crp_sid = cs->cs_sid;

	KERNEL_LOCK();
	error = crypto_invoke(crp);
	KERNEL_UNLOCK();
	cs->cs_sid = crp->crp_sid;
	if (error == EAGAIN) {
		/* Another session, that nobody gave the keys. */
		cs->cs_dead = 1;
		error = EIO;
	}
	crypto_freereq(crp);
	return (error);
}

/*
 * CIOCCRYPT.
 */
static int
crypto_op(struct crypto_fd *cf, struct crypt_op *cop)
{
	u_int8_t iv[EALG_MAX_BLOCK_LEN], mac[AALG_MAX_RESULT_LEN];
	struct crypto_ses *cs;
	u_int8_t *buf;
	int error;

	cs = crypto_ses_find(cf, cop->ses);
	if (cs == NULL)
		return (EINVAL);
	if (cs->cs_dead)
		return (EIO);
	if ((cop->op != COP_ENCRYPT && cop->op != COP_DECRYPT) ||
	    cop->flags != 0)
		return (EINVAL);
	if (cop->len == 0 || cop->len > CRYPTODEV_MAX_DATA)
		return (E2BIG);
	if (cs->cs_txf != NULL && (cop->len % cs->cs_txf->blocksize != 0 ||
	    (cs->cs_txf->ivsize != 0 && cop->iv == NULL) || cop->dst == NULL))
		return (EINVAL);
	if (cs->cs_axf != NULL && cop->mac == NULL)
		return (EINVAL);
	if (cs->cs_txf != NULL &&
	    (error = copyin(cop->iv, iv, cs->cs_txf->ivsize)) != 0)
		return (error);

	buf = malloc(cop->len, M_TEMP, M_WAITOK);
	error = copyin(cop->src, buf, cop->len);
	if (error == 0)
		error = crypto_request(cs, cop, buf, iv, mac);
	if (error == 0 && cs->cs_txf != NULL)
		error = copyout(buf, cop->dst, cop->len);
	if (error == 0 && cs->cs_axf != NULL)
		error = copyout(mac, cop->mac, cs->cs_axf->authsize);
	explicit_bzero(buf, cop->len);
	explicit_bzero(mac, sizeof(mac));
	free(buf, M_TEMP, cop->len);
	return (error);
}

int
crypto_fioctl(struct file *fp, u_long cmd, caddr_t data, struct proc *p)
{
	struct crypto_fd *cf = fp->f_data;
	struct crypto_ses *cs;
	int error = 0;

	if (usercrypto == 0)
		return (EACCES);
	rw_enter_write(&cf->cf_lock);
	switch (cmd) {
	case CIOCGSESSION:
		error = crypto_gsession(cf, (struct session_op *)data);
		break;
	case CIOCFSESSION:
		cs = crypto_ses_find(cf, *(u_int32_t *)data);
		if (cs == NULL)
			error = EINVAL;
		else
			crypto_ses_free(cf, cs);
		break;
	case CIOCCRYPT:
		error = crypto_op(cf, (struct crypt_op *)data);
		break;
	case FIONBIO:
	case FIOASYNC:
		break;
	default:
		error = EINVAL;
		break;
	}
	rw_exit_write(&cf->cf_lock);
	return (error);
}

int
crypto_fclose(struct file *fp, struct proc *p)
{
	struct crypto_fd *cf = fp->f_data;

	while (!LIST_EMPTY(&cf->cf_sessions))
		crypto_ses_free(cf, LIST_FIRST(&cf->cf_sessions));
	free(cf, M_CRYPTO_DATA, sizeof(*cf));
	fp->f_data = NULL;
	return (0);
}

int
crypto_fread(struct file *fp, struct uio *uio, int flags)
{
	return (EIO);
}

int
crypto_fkqfilter(struct file *fp, struct knote *kn)
{
	return (EINVAL);
}

int
crypto_fstat(struct file *fp, struct stat *st, struct proc *p)
{
	memset(st, 0, sizeof(*st));
	return (0);
}

int
cryptoopen(dev_t dev, int flag, int mode, struct proc *p)
{
	return (usercrypto == 0 ? ENXIO : 0);
}

int
cryptoclose(dev_t dev, int flag, int mode, struct proc *p)
{
	return (0);
}

/*
 * CRIOGET: a descriptor of its own for the sessions, whoever else has the
 * device open.
 */
int
cryptoioctl(dev_t dev, u_long cmd, caddr_t data, int flag, struct proc *p)
{
	struct crypto_fd *cf;
	struct file *fp;
	int error, fd;

	if (cmd != CRIOGET)
		return (EINVAL);
	cf = malloc(sizeof(*cf), M_CRYPTO_DATA, M_WAITOK | M_ZERO);
	rw_init(&cf->cf_lock, "cryptofd");
	LIST_INIT(&cf->cf_sessions);
	cf->cf_next = 1;

	fdplock(p->p_fd);
	error = falloc(p, &fp, &fd);
	if (error != 0) {
		fdpunlock(p->p_fd);
		free(cf, M_CRYPTO_DATA, sizeof(*cf));
		return (error);
	}
	fp->f_flag = FREAD | FWRITE;
	fp->f_type = DTYPE_CRYPTO;
	fp->f_ops = &cryptofops;
	fp->f_data = cf;
	*(u_int32_t *)data = fd;
	fdinsert(p->p_fd, fd, 0, fp);
	fdpunlock(p->p_fd);
	FRELE(fp, p);
	return (0);
}
