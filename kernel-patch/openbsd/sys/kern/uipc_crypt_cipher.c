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
 * SO_CRYPT: ciphers and MACs, and how crypto(9) is asked for them.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

#include <crypto/cryptodev.h>

/*
 * What the kernel lacks has number 0.  Full-length HMACs and the ciphers of
 * SSH are an extension of crypto(9).
 */
#ifndef CRYPTO_SHA1_HMAC_160
#define CRYPTO_SHA1_HMAC_160		0
#define CRYPTO_SHA2_256_HMAC_256	0
#define CRYPTO_SHA2_384_HMAC_384	0
#define CRYPTO_SHA2_512_HMAC_512	0
#define CRYPTO_AES_CTR_128		0
#define CRYPTO_CHACHA20			0
#define CRYPTO_CHACHA20_POLY1305_SSH	0
#define CRYPTO_CHACHA20_POLY1305_SSH_MAC 0
#define CRYPTO_AES_CBC_MAC		0
#endif

static const struct so_crypt_cipher so_crypt_ciphers[] = {
	{ "gcm(aes)", SO_CRYPT_MODE_GCM,
	    CRYPTO_AES_GCM_16, 16, 32, 16, 8, 4 },
	{ "rfc7539(chacha20,poly1305)", SO_CRYPT_MODE_CHACHA,
	    CRYPTO_CHACHA20_POLY1305, 32, 32, 8, 8, 4 },
	{ "ccm(aes)", SO_CRYPT_MODE_CCM,
	    CRYPTO_AES_CTR_128, 16, 32, 16, 16, 0 },
	{ "cbc(aes)", SO_CRYPT_MODE_CBC,
	    CRYPTO_AES_CBC, 16, 32, 16, 16, 0 },
	{ "cbc(des3_ede)", SO_CRYPT_MODE_CBC,
	    CRYPTO_3DES_CBC, 24, 24, 8, 8, 0 },
	{ "ctr(aes)", SO_CRYPT_MODE_CTR,
	    CRYPTO_AES_CTR, 16, 32, 16, 8, 4 },
	{ "ctr(aes)", SO_CRYPT_MODE_CTR128,
	    CRYPTO_AES_CTR_128, 16, 32, 16, 16, 0 },
	{ "chacha20-poly1305@openssh.com", SO_CRYPT_MODE_CHACHASSH,
	    CRYPTO_CHACHA20_POLY1305_SSH, 64, 64, 8, 8, 0 },
};

static const struct so_crypt_mac so_crypt_macs[] = {
	{ "hmac(sha1)", CRYPTO_SHA1_HMAC_160, 20, HMAC_SHA1_BLOCK_LEN },
	{ "hmac(sha256)", CRYPTO_SHA2_256_HMAC_256, 32,
	    HMAC_SHA2_256_BLOCK_LEN },
	{ "hmac(sha384)", CRYPTO_SHA2_384_HMAC_384, 48,
	    HMAC_SHA2_384_BLOCK_LEN },
	{ "hmac(sha512)", CRYPTO_SHA2_512_HMAC_512, 64,
	    HMAC_SHA2_512_BLOCK_LEN },
};

/*
 * Stands for the keys in requests.  A driver gets them once, with the
 * session; crypto(9) would make a new session from the request if the driver
 * went away, and so_crypt_run() refuses that.
 */
static u_int8_t so_crypt_nokey[SO_CRYPT_MAX_KEY * 2 + 4];

const struct so_crypt_cipher *
so_crypt_cipher(const char *name, int protocol, int *error)
{
	const struct so_crypt_cipher *cc;
	int ssh = protocol == SO_CRYPT_SSH;
	size_t i;

	*error = ENOENT;
	for (i = 0; i < nitems(so_crypt_ciphers); i++) {
		cc = &so_crypt_ciphers[i];
		if (strcmp(cc->cc_name, name) != 0 || cc->cc_alg == 0)
			continue;
		switch (cc->cc_mode) {
		case SO_CRYPT_MODE_CTR:
			*error = EINVAL;
			if (protocol != SO_CRYPT_CUSTOM)
				continue;
			break;
		case SO_CRYPT_MODE_CTR128:
		case SO_CRYPT_MODE_CHACHASSH:
			*error = EINVAL;
			if (!ssh)
				continue;
			break;
		case SO_CRYPT_MODE_CCM:
		case SO_CRYPT_MODE_CHACHA:
			*error = EINVAL;
			if (ssh)
				continue;
			break;
		}
		return (cc);
	}
	return (NULL);
}

const struct so_crypt_mac *
so_crypt_mac(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(so_crypt_macs); i++) {
		if (strcmp(so_crypt_macs[i].cm_name, name) == 0 &&
		    so_crypt_macs[i].cm_alg != 0)
			return (&so_crypt_macs[i]);
	}
	return (NULL);
}

static int
so_crypt_newsession(u_int64_t *sid, struct cryptoini *cri)
{
	int error;

	KERNEL_LOCK();
	error = crypto_newsession(sid, cri, 0);
	KERNEL_UNLOCK();
	return (error);
}

/*
 * Give crypto(9) the keys.  The descriptors of a request are three although
 * two are used: crypto_invoke() writes behind the last one when a driver goes.
 */
int
so_crypt_session(struct so_crypt_key *sk, const struct so_crypt_info *info)
{
	const struct so_crypt_cipher *cc = sk->sk_cipher;
	struct cryptoini cri, cra;
	u_int8_t key[SO_CRYPT_MAX_KEY + 4], mac_key[SO_CRYPT_MAX_KEY];
	int error;

	memcpy(key, info->key, info->key_len);
	memcpy(key + info->key_len, info->iv, cc->cc_salt);
	memcpy(mac_key, info->mac_key, sizeof(mac_key));
	sk->sk_klen = (info->key_len + cc->cc_salt) * 8;

	memset(&cri, 0, sizeof(cri));
	cri.cri_alg = cc->cc_alg;
	cri.cri_klen = sk->sk_klen;
	cri.cri_key = (caddr_t)key;
	memset(&cra, 0, sizeof(cra));
	cra.cri_klen = cri.cri_klen;
	cra.cri_key = cri.cri_key;

	switch (cc->cc_mode) {
	case SO_CRYPT_MODE_GCM:
		cra.cri_alg = info->key_len == 16 ? CRYPTO_AES_128_GMAC :
		    info->key_len == 24 ? CRYPTO_AES_192_GMAC :
		    CRYPTO_AES_256_GMAC;
		break;
	case SO_CRYPT_MODE_CCM:
		cra.cri_alg = CRYPTO_AES_CBC_MAC;
		break;
	case SO_CRYPT_MODE_CHACHA:
		cra.cri_alg = CRYPTO_CHACHA20_POLY1305_MAC;
		break;
	case SO_CRYPT_MODE_CHACHASSH:
		/* K_2, then K_1, which is for the lengths. */
		cra.cri_alg = CRYPTO_CHACHA20_POLY1305_SSH_MAC;
		sk->sk_klen = cri.cri_klen = cra.cri_klen = 32 * 8;
		break;
	default:
		if (sk->sk_hash != NULL)
			break;		/* the MAC is checked elsewhere */
		cra.cri_alg = sk->sk_mac->cm_alg;
		cra.cri_key = (caddr_t)mac_key;
		cra.cri_klen = info->mac_key_len * 8;
		break;
	}
	sk->sk_authalg = cra.cri_alg;
	sk->sk_authklen = cra.cri_klen;
	if (cra.cri_alg != 0)
		cri.cri_next = &cra;

	sk->sk_crp = crypto_getreq(3);
	if (sk->sk_crp == NULL)
		error = ENOBUFS;
	else
		error = so_crypt_newsession(&sk->sk_sid, &cri);
	if (error == 0 && cc->cc_mode == SO_CRYPT_MODE_CHACHASSH) {
		cri.cri_next = NULL;
		cri.cri_alg = CRYPTO_CHACHA20;
		cri.cri_key = (caddr_t)key + 32;
		error = so_crypt_newsession(&sk->sk_masksid, &cri);
	}
	/* "No driver does that" is EINVAL in crypto(9). */
	if (error == EINVAL)
		error = ENOENT;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(mac_key, sizeof(mac_key));
	return (error);
}

void
so_crypt_session_free(struct so_crypt_key *sk)
{
	KERNEL_LOCK();
	if (sk->sk_sid != 0)
		crypto_freesession(sk->sk_sid);
	if (sk->sk_masksid != 0)
		crypto_freesession(sk->sk_masksid);
	crypto_freereq(sk->sk_crp);
	KERNEL_UNLOCK();
}

/*
 * Who does the work, for getsockopt(2).
 */
void
so_crypt_driver(const struct so_crypt_key *sk, char *name, size_t size)
{
	extern struct cryptocap *crypto_drivers;
	extern int crypto_drivers_num;
	u_int32_t hid = sk->sk_sid >> 32;

	KERNEL_LOCK();
	if (hid < crypto_drivers_num &&
	    (crypto_drivers[hid].cc_flags & CRYPTOCAP_F_SOFTWARE))
		strlcpy(name, "cryptosoft", size);
	else
		snprintf(name, size, "crypto driver %u", hid);
	KERNEL_UNLOCK();
}

static void
so_crypt_want(struct cryptodesc *crd, int alg, int klen, int skip, int len,
    int inject, int flags)
{
	memset(crd, 0, sizeof(*crd));
	crd->crd_alg = alg;
	crd->crd_klen = klen;
	crd->crd_key = (caddr_t)so_crypt_nokey;
	crd->crd_skip = skip;
	crd->crd_len = len;
	crd->crd_inject = inject;
	crd->crd_flags = flags;
}

/*
 * Descriptor i of the next request: the cipher, over len bytes from skip.
 */
void
so_crypt_want_cipher(struct so_crypt_key *sk, int i, int skip, int len,
    const u_int8_t *iv, int encrypt)
{
	struct cryptodesc *crd = &sk->sk_crp->crp_desc[i];

	so_crypt_want(crd, sk->sk_cipher->cc_alg, sk->sk_klen, skip, len, skip,
	    CRD_F_IV_EXPLICIT | CRD_F_IV_PRESENT |
	    (encrypt ? CRD_F_ENCRYPT : 0));
	memcpy(crd->crd_iv, iv, sk->sk_cipher->cc_ivlen);
}

/*
 * Descriptor i: the MAC over len bytes from skip, or an AEAD cipher's
 * associated data; the tag goes to inject.
 */
void
so_crypt_want_auth(struct so_crypt_key *sk, int i, int skip, int len,
    int inject)
{
	so_crypt_want(&sk->sk_crp->crp_desc[i], sk->sk_authalg,
	    sk->sk_authklen, skip, len, inject, 0);
}

static int
so_crypt_invoke(struct so_crypt_key *sk, u_int64_t *sid, struct mbuf *m,
    int ndesc)
{
	struct cryptop *crp = sk->sk_crp;
	int error;

	crp->crp_sid = *sid;
	crp->crp_ndesc = ndesc;
	crp->crp_flags = CRYPTO_F_IMBUF;
	crp->crp_ilen = crp->crp_olen = m->m_pkthdr.len;
	crp->crp_buf = m;

	KERNEL_LOCK();
	error = crypto_invoke(crp);
	KERNEL_UNLOCK();

	*sid = crp->crp_sid;
	crp->crp_buf = NULL;
	/*
	 * EAGAIN: the driver is gone and crp_sid another session, made with
	 * what it found in the descriptors, that is, without our keys.
	 */
	return (error == EAGAIN ? EIO : error);
}

/*
 * Do the request.  Any error is final for the direction: a driver may have
 * been stopped in the middle of a frame.
 */
int
so_crypt_run(struct so_crypt_key *sk, struct mbuf *m, int ndesc)
{
	return (so_crypt_invoke(sk, &sk->sk_sid, m, ndesc));
}

/*
 * Encrypt the one block in m with what hides the next packet's length.
 */
int
so_crypt_run_mask(struct so_crypt_key *sk, struct mbuf *m, const u_int8_t *iv)
{
	if (sk->sk_masksid == 0) {
		so_crypt_want_cipher(sk, 0, 0, m->m_len, iv, 1);
		return (so_crypt_invoke(sk, &sk->sk_sid, m, 1));
	}
	so_crypt_want_cipher(sk, 0, 0, m->m_len, iv, 1);
	sk->sk_crp->crp_desc[0].crd_alg = CRYPTO_CHACHA20;
	return (so_crypt_invoke(sk, &sk->sk_masksid, m, 1));
}
