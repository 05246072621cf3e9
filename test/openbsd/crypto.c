// SPDX-License-Identifier: MIT
// crypto(9): sessions and requests as so_crypt makes them, strict about what drivers need: whole blocks, lengths in the chain, the
// kernel lock, nothing that would grow the chain. The ciphers are libcrypto's.
#include "kern.h"

#include "host.h"

long crypto_sessions, crypto_requests;
int crypto_fault, crypto_fault_error = ENOMEM, crypto_busy;

static struct cryptocap drivers[1] = { { CRYPTOCAP_F_SOFTWARE } };
struct cryptocap *crypto_drivers = drivers;
int crypto_drivers_num = 1;

struct alg {
	int alg;
	u_int klen; /* bytes */
	u_char key[68];
};
static struct session {
	int used;
	struct alg algs[2];
} sessions[64];

int crypto_newsession(u_int64_t *sid, struct cryptoini *cri, int hard) {
	KERNEL_ASSERT_LOCKED();
	(void)hard;
	for (u_int i = 1; i < nitems(sessions); i++) {
		struct session *s = &sessions[i];
		if (s->used) continue;
		memset(s, 0, sizeof(*s));
		for (int k = 0; cri; cri = cri->cri_next, k++) {
			KASSERT(k < 2 && cri->cri_alg > 0 && cri->cri_alg <= CRYPTO_ALGORITHM_MAX && cri->cri_klen <= 8 * 68);
			s->algs[k].alg = cri->cri_alg;
			s->algs[k].klen = cri->cri_klen / 8;
			memcpy(s->algs[k].key, cri->cri_key, cri->cri_klen / 8);
		}
		s->used = 1;
		*sid = i;
		crypto_sessions++;
		return 0;
	}
	return ENOBUFS;
}

int crypto_freesession(u_int64_t sid) {
	KERNEL_ASSERT_LOCKED();
	KASSERT(sid > 0 && sid < nitems(sessions) && sessions[sid].used);
	memset(&sessions[sid], 0, sizeof(sessions[sid]));
	crypto_sessions--;
	return 0;
}

struct cryptop *crypto_getreq(int num) {
	KASSERT(num <= 3);
	struct cryptop *crp = malloc(sizeof(*crp), M_CRYPTO_DATA, M_NOWAIT | M_ZERO);
	crp->crp_desc = crp->crp_sdesc;
	crp->crp_ndesc = crp->crp_ndescalloc = num;
	return crp;
}

void crypto_freereq(struct cryptop *crp) { free(crp, M_CRYPTO_DATA, sizeof(*crp)); }

static const struct alg *find(const struct session *s, const struct cryptodesc *crd) {
	for (int k = 0; k < 2; k++)
		if (s->algs[k].alg == crd->crd_alg) {
			KASSERT(crd->crd_klen == (int)s->algs[k].klen * 8);
			return &s->algs[k];
		}
	return NULL;
}

static const char *aes(u_int klen, const char *a128, const char *a192, const char *a256) {
	return klen == 16 ? a128 : klen == 24 ? a192 : a256;
}

/* The buffer of a range, with room for a tag behind it. */
static u_char work[1 << 20];

static u_char *load(struct mbuf *m, int skip, int len) {
	KASSERT(len >= 0 && skip >= 0 && (size_t)len + 64 <= sizeof(work));
	if (len > 0) m_copydata(m, skip, len, work);
	return work;
}

static int cipher(const struct alg *a, struct cryptodesc *crd, struct mbuf *m) {
	u_char iv[16] = { 0 };
	int encrypt = crd->crd_flags & CRD_F_ENCRYPT, len = crd->crd_len;
	KASSERT(crd->crd_flags & CRD_F_IV_EXPLICIT);
	if (encrypt) KASSERT(crd->crd_flags & CRD_F_IV_PRESENT);
	u_char *p = load(m, crd->crd_skip, len);
	switch (a->alg) {
	case CRYPTO_3DES_CBC:
		if (len % 8) return EINVAL;
		host_cipher("DES-EDE3-CBC", a->key, crd->crd_iv, encrypt, p, len);
		break;
	case CRYPTO_AES_CBC:
		if (len % 16) return EINVAL;
		host_cipher(aes(a->klen, "AES-128-CBC", "AES-192-CBC", "AES-256-CBC"), a->key, crd->crd_iv, encrypt, p, len);
		break;
	case CRYPTO_AES_CTR:
		if (len % 16) return EINVAL;
		memcpy(iv, a->key + a->klen - 4, 4);
		memcpy(iv + 4, crd->crd_iv, 8);
		iv[15] = 1;
		host_cipher(aes(a->klen - 4, "AES-128-CTR", "AES-192-CTR", "AES-256-CTR"), a->key, iv, 1, p, len);
		break;
	case CRYPTO_AES_CTR_128:
		if (len % 16) return EINVAL;
		host_cipher(aes(a->klen, "AES-128-CTR", "AES-192-CTR", "AES-256-CTR"), a->key, crd->crd_iv, 1, p, len);
		break;
	case CRYPTO_CHACHA20:
		if (len % 64) return EINVAL;
		memcpy(iv + 8, crd->crd_iv, 8);
		host_cipher("ChaCha20", a->key, iv, 1, p, len);
		break;
	default:
		return EINVAL;
	}
	m_copyback(m, crd->crd_skip, len, p, M_NOWAIT);
	return 0;
}

/* What an HMAC is called, and how much of it is given out. */
static const struct kind {
	struct auth_hash hash;
	const char *name;
} kinds[] = {
	{ { CRYPTO_MD5_HMAC, 12, 64 }, "md5" },
	{ { CRYPTO_SHA1_HMAC, 12, 64 }, "sha1" },
	{ { CRYPTO_RIPEMD160_HMAC, 12, 64 }, "ripemd160" },
	{ { CRYPTO_SHA2_256_HMAC, 16, 64 }, "sha256" },
	{ { CRYPTO_SHA2_384_HMAC, 24, 128 }, "sha384" },
	{ { CRYPTO_SHA2_512_HMAC, 32, 128 }, "sha512" },
	{ { CRYPTO_MD5_HMAC_128, 16, 64 }, "md5" },
	{ { CRYPTO_SHA1_HMAC_160, 20, 64 }, "sha1" },
	{ { CRYPTO_RIPEMD160_HMAC_160, 20, 64 }, "ripemd160" },
	{ { CRYPTO_SHA2_256_HMAC_256, 32, 64 }, "sha256" },
	{ { CRYPTO_SHA2_384_HMAC_384, 48, 128 }, "sha384" },
	{ { CRYPTO_SHA2_512_HMAC_512, 64, 128 }, "sha512" },
};

const struct enc_xform enc_xform_3des = { CRYPTO_3DES_CBC, 8, 8, 24, 24 };
const struct enc_xform enc_xform_blf = { CRYPTO_BLF_CBC, 8, 8, 5, 56 };
const struct enc_xform enc_xform_cast5 = { CRYPTO_CAST_CBC, 8, 8, 5, 16 };
const struct enc_xform enc_xform_aes = { CRYPTO_AES_CBC, 16, 16, 16, 32 };
const struct enc_xform enc_xform_aes_ctr = { CRYPTO_AES_CTR, 16, 8, 20, 36 };
const struct enc_xform enc_xform_aes_ctr_128 = { CRYPTO_AES_CTR_128, 16, 16, 16, 32 };
const struct enc_xform enc_xform_aes_xts = { CRYPTO_AES_XTS, 16, 8, 32, 64 };
const struct auth_hash auth_hash_hmac_md5_96 = { CRYPTO_MD5_HMAC, 12, 64 };
const struct auth_hash auth_hash_hmac_sha1_96 = { CRYPTO_SHA1_HMAC, 12, 64 };
const struct auth_hash auth_hash_hmac_ripemd_160_96 = { CRYPTO_RIPEMD160_HMAC, 12, 64 };
const struct auth_hash auth_hash_hmac_sha2_256_128 = { CRYPTO_SHA2_256_HMAC, 16, 64 };
const struct auth_hash auth_hash_hmac_sha2_384_192 = { CRYPTO_SHA2_384_HMAC, 24, 128 };
const struct auth_hash auth_hash_hmac_sha2_512_256 = { CRYPTO_SHA2_512_HMAC, 32, 128 };

static const struct kind *kind_of(int alg) {
	for (u_int i = 0; i < nitems(kinds); i++)
		if (kinds[i].hash.type == alg) return &kinds[i];
	return NULL;
}

const struct auth_hash *auth_hash_hmac_full(int alg) {
	const struct kind *k = alg >= CRYPTO_MD5_HMAC_128 ? kind_of(alg) : NULL;
	return k ? &k->hash : NULL;
}

static void hmac(const struct alg *a, struct cryptodesc *crd, struct mbuf *m, caddr_t out) {
	const struct kind *k = kind_of(a->alg);
	u_char mac[64];
	host_hmac(k->name, a->key, a->klen, load(m, crd->crd_skip, crd->crd_len), crd->crd_len, mac);
	if (out) memcpy(out, mac, k->hash.authsize);
	else m_copyback(m, crd->crd_inject, k->hash.authsize, mac, M_NOWAIT);
}

/* The last block of the CBC of what is padded with zeros. */
static void cbc_mac(const struct alg *a, struct cryptodesc *crd, struct mbuf *m) {
	u_char zero[16] = { 0 };
	u_char *p = load(m, crd->crd_skip, crd->crd_len);
	int len = (crd->crd_len + 15) / 16 * 16;
	memset(p + crd->crd_len, 0, len - crd->crd_len);
	host_cipher(aes(a->klen, "AES-128-CBC", "AES-192-CBC", "AES-256-CBC"), a->key, zero, 1, p, len);
	m_copyback(m, crd->crd_inject, 16, p + len - 16, M_NOWAIT);
}

int AES_Setkey(AES_CTX *ctx, const u_int8_t *key, int len) {
	memcpy(ctx->key, key, len);
	ctx->len = len;
	return 0;
}

void AES_Decrypt(AES_CTX *ctx, const u_int8_t *in, u_int8_t *out) {
	u_char zero[16] = { 0 };
	memcpy(out, in, 16);
	host_cipher(aes(ctx->len, "AES-128-ECB", "AES-192-ECB", "AES-256-ECB"), ctx->key, zero, 0, out, 16);
}

/* ChaCha20 with K_2 from block 1, Poly1305 with block 0, over what is not encrypted here and the ciphertext. */
static void chacha_ssh(const struct alg *a, const u_char *iv8, int encrypt, const u_char *aad, u_int alen, u_char *p, u_int len, u_char *tag) {
	u_char iv[16] = { 0 }, poly[32] = { 0 };
	static u_char message[sizeof(work)];
	memcpy(iv + 8, iv8, 8);
	host_cipher("ChaCha20", a->key, iv, 1, poly, 32);
	iv[0] = 1;
	if (encrypt) host_cipher("ChaCha20", a->key, iv, 1, p, len);
	memcpy(message, aad, alen);
	memcpy(message + alen, p, len);
	host_poly1305(poly, message, alen + len, tag);
	if (!encrypt) host_cipher("ChaCha20", a->key, iv, 1, p, len);
}

static int aead(const struct session *s, struct cryptop *crp) {
	struct cryptodesc *e = NULL, *t = NULL;
	struct mbuf *m = crp->crp_buf;
	u_char aad[64], nonce[12], tag[16];
	for (int i = 0; i < 2; i++) {
		struct cryptodesc *crd = &crp->crp_desc[i];
		if (!find(s, crd)) return EINVAL;
		if (crd->crd_alg == CRYPTO_AES_GCM_16 || crd->crd_alg == CRYPTO_CHACHA20_POLY1305 ||
		    crd->crd_alg == CRYPTO_CHACHA20_POLY1305_SSH)
			e = crd;
		else
			t = crd;
	}
	if (e == NULL || t == NULL) return EINVAL;
	const struct alg *a = find(s, e);
	int encrypt = e->crd_flags & CRD_F_ENCRYPT, len = e->crd_len;
	KASSERT(t->crd_len <= (int)sizeof(aad));
	m_copydata(m, t->crd_skip, t->crd_len, aad);
	u_char *p = load(m, e->crd_skip, len);
	memcpy(nonce, a->key + a->klen - 4, 4);
	memcpy(nonce + 4, e->crd_iv, 8);
	if (e->crd_alg == CRYPTO_CHACHA20_POLY1305_SSH) {
		chacha_ssh(a, e->crd_iv, encrypt, aad, t->crd_len, p, len, tag);
	} else {
		const char *name = e->crd_alg == CRYPTO_CHACHA20_POLY1305 ? "ChaCha20-Poly1305" :
		    aes(a->klen - 4, "AES-128-GCM", "AES-192-GCM", "AES-256-GCM");
		/* These are key streams: decrypting is encrypting, and the tag is that of the ciphertext. */
		static u_char copy[sizeof(work)];
		host_aead(name, a->key, nonce, aad, t->crd_len, p, len, tag);
		if (!encrypt) {
			memcpy(copy, p, len);
			host_aead(name, a->key, nonce, aad, t->crd_len, copy, len, tag);
		}
	}
	m_copyback(m, e->crd_skip, len, p, M_NOWAIT);
	m_copyback(m, t->crd_inject, 16, tag, M_NOWAIT);
	return 0;
}

static int invoke_flat(struct cryptop *);

int crypto_invoke(struct cryptop *crp) {
	if (crp->crp_flags == CRYPTO_F_IOV) return invoke_flat(crp);
	KERNEL_ASSERT_LOCKED();
	crypto_busy = 1;
	may_sleep("crypto_invoke");
	crypto_busy = 0;
	KASSERT(crp->crp_flags == CRYPTO_F_IMBUF && crp->crp_ndesc >= 1 && crp->crp_ndesc <= 2);
	struct session *s = &sessions[crp->crp_sid];
	struct mbuf *m = crp->crp_buf;
	int len = 0;
	KASSERT(s->used && (m->m_flags & M_PKTHDR));
	for (struct mbuf *n = m; n; n = n->m_next) {
		if (n->m_len > 0 && M_READONLY(n)) panic("crypto_invoke: a read-only mbuf");
		if (n->m_len > 65535) panic("crypto_invoke: an mbuf of %u bytes", n->m_len);
		len += n->m_len;
	}
	KASSERT(len == m->m_pkthdr.len && len == crp->crp_ilen);
	crypto_requests++;
	if (crypto_fault > 0 && --crypto_fault == 0) {
		/* A driver may stop anywhere. */
		if (crp->crp_desc[0].crd_len > 0) m_copyback(m, crp->crp_desc[0].crd_skip, 1, "x", M_NOWAIT);
		return crypto_fault_error;
	}
	switch (crp->crp_desc[0].crd_alg) {
	case CRYPTO_AES_GCM_16:
	case CRYPTO_AES_128_GMAC:
	case CRYPTO_AES_192_GMAC:
	case CRYPTO_AES_256_GMAC:
	case CRYPTO_CHACHA20_POLY1305:
	case CRYPTO_CHACHA20_POLY1305_MAC:
	case CRYPTO_CHACHA20_POLY1305_SSH:
	case CRYPTO_CHACHA20_POLY1305_SSH_MAC:
		return aead(s, crp);
	}
	for (int i = 0; i < crp->crp_ndesc; i++) {
		struct cryptodesc *crd = &crp->crp_desc[i];
		const struct alg *a = find(s, crd);
		if (a == NULL) return EINVAL;
		int error = 0;
		if (kind_of(a->alg)) hmac(a, crd, m, crp->crp_mac);
		else if (a->alg == CRYPTO_AES_CBC_MAC) cbc_mac(a, crd, m);
		else error = cipher(a, crd, m);
		if (error) return error;
	}
	return 0;
}

/* A request on plain memory: as mbufs and back. The MAC goes to crp_mac. */
static int invoke_flat(struct cryptop *crp) {
	struct uio *uio = crp->crp_buf;
	struct cryptop inner = *crp;
	struct mbuf *top = m_gethdr(M_NOWAIT, MT_DATA), *m = top;
	int len = 0, shortage = cluster_shortage, error;
	cluster_shortage = 0;
	top->m_len = 0;
	/* Where a length has 16 bits: the update functions of struct auth_hash. */
	for (int i = 0; i < uio->uio_iovcnt; i++) KASSERT(uio->uio_iov[i].iov_len <= 65535);
	for (int i = 0; i < uio->uio_iovcnt; i++)
		for (size_t off = 0; off < uio->uio_iov[i].iov_len; off += m->m_len) {
			m = m->m_next = m_get(M_NOWAIT, MT_DATA);
			m_clget(m, M_NOWAIT, m->m_len = uio->uio_iov[i].iov_len - off);
			memcpy(m->m_data, (char *)uio->uio_iov[i].iov_base + off, m->m_len);
			len += m->m_len;
		}
	cluster_shortage = shortage;
	top->m_pkthdr.len = len;
	inner.crp_flags = CRYPTO_F_IMBUF;
	inner.crp_buf = top;
	inner.crp_desc = crp->crp_desc;
	error = crypto_invoke(&inner);
	for (int i = 0, at = 0; i < uio->uio_iovcnt; at += uio->uio_iov[i++].iov_len)
		m_copydata(top, at, uio->uio_iov[i].iov_len, uio->uio_iov[i].iov_base);
	m_freem(top);
	return error;
}
