/* SPDX-License-Identifier: MIT */
/* crypto(9), /dev/crypto and libkern's hashes, as far as kernel-patch/openbsd uses them. Part of kern.h. */
#ifndef KERN_CRYPTO_H
#define KERN_CRYPTO_H

#define HMAC_SHA1_BLOCK_LEN 64
#define HMAC_SHA2_256_BLOCK_LEN 64
#define HMAC_SHA2_384_BLOCK_LEN 128
#define HMAC_SHA2_512_BLOCK_LEN 128
#define HMAC_MAX_BLOCK_LEN 128
#define HMAC_IPAD_VAL 0x36
#define HMAC_OPAD_VAL 0x5C
#define EALG_MAX_BLOCK_LEN 64
#define AALG_MAX_RESULT_LEN 64
#define CRYPTO_3DES_CBC 1
#define CRYPTO_BLF_CBC 2
#define CRYPTO_CAST_CBC 3
#define CRYPTO_MD5_HMAC 4
#define CRYPTO_SHA1_HMAC 5
#define CRYPTO_RIPEMD160_HMAC 6
#define CRYPTO_SHA2_256_HMAC 11
#define CRYPTO_SHA2_384_HMAC 12
#define CRYPTO_SHA2_512_HMAC 13
#define CRYPTO_AES_XTS 15
#define CRYPTO_AES_CBC 7
#define CRYPTO_AES_CTR 14
#define CRYPTO_AES_GCM_16 16
#define CRYPTO_AES_128_GMAC 17
#define CRYPTO_AES_192_GMAC 18
#define CRYPTO_AES_256_GMAC 19
#define CRYPTO_CHACHA20_POLY1305 21
#define CRYPTO_CHACHA20_POLY1305_MAC 22
#define CRYPTO_MD5_HMAC_128 24
#define CRYPTO_SHA1_HMAC_160 25
#define CRYPTO_RIPEMD160_HMAC_160 26
#define CRYPTO_SHA2_256_HMAC_256 27
#define CRYPTO_SHA2_384_HMAC_384 28
#define CRYPTO_SHA2_512_HMAC_512 29
#define CRYPTO_AES_CTR_128 30
#define CRYPTO_CHACHA20 31
#define CRYPTO_CHACHA20_POLY1305_SSH 32
#define CRYPTO_CHACHA20_POLY1305_SSH_MAC 33
#define CRYPTO_AES_CBC_MAC 34
#define CRYPTO_ALGORITHM_MAX 34
struct cryptoini {
	int cri_alg, cri_klen;
	caddr_t cri_key;
	u_int8_t cri_iv[EALG_MAX_BLOCK_LEN];
	struct cryptoini *cri_next;
};
struct cryptodesc {
	int crd_skip, crd_len, crd_inject, crd_flags;
	struct cryptoini CRD_INI;
#define crd_iv CRD_INI.cri_iv
#define crd_key CRD_INI.cri_key
#define crd_alg CRD_INI.cri_alg
#define crd_klen CRD_INI.cri_klen
};
#define CRD_F_ENCRYPT 0x1
#define CRD_F_IV_PRESENT 0x2
#define CRD_F_IV_EXPLICIT 0x4
struct cryptop {
	u_int64_t crp_sid;
	int crp_ilen, crp_olen, crp_flags;
	void *crp_buf;
	struct cryptodesc *crp_desc;
	struct cryptodesc crp_sdesc[3];
	int crp_ndesc, crp_ndescalloc;
	caddr_t crp_mac;
};
#define CRYPTO_F_IMBUF 1
#define CRYPTO_F_IOV 2
struct cryptocap {
	u_int8_t cc_flags;
};
struct enc_xform {
	int type;
	u_int16_t blocksize, ivsize, minkey, maxkey;
};
struct auth_hash {
	int type;
	u_int16_t authsize, blocksize;
};
extern const struct enc_xform enc_xform_3des, enc_xform_blf, enc_xform_cast5, enc_xform_aes, enc_xform_aes_ctr, enc_xform_aes_ctr_128,
    enc_xform_aes_xts;
extern const struct auth_hash auth_hash_hmac_md5_96, auth_hash_hmac_sha1_96, auth_hash_hmac_ripemd_160_96, auth_hash_hmac_sha2_256_128,
    auth_hash_hmac_sha2_384_192, auth_hash_hmac_sha2_512_256;
const struct auth_hash *auth_hash_hmac_full(int);
struct session_op {
	u_int32_t cipher, mac, keylen;
	caddr_t key;
	int mackeylen;
	caddr_t mackey;
	u_int32_t ses;
};
struct crypt_op {
	u_int32_t ses;
	u_int16_t op, flags;
	u_int len;
	caddr_t src, dst, mac, iv;
};
#define COP_ENCRYPT 1
#define COP_DECRYPT 2
#define CRIOGET _IOWR('c', 100, u_int32_t)
#define CIOCGSESSION _IOWR('c', 101, struct session_op)
#define CIOCFSESSION _IOW('c', 102, u_int32_t)
#define CIOCCRYPT _IOWR('c', 103, struct crypt_op)
#define CRYPTOCAP_F_SOFTWARE 2

/* libkern's AES: crypto.c */
typedef struct aes_ctx {
	u_char key[32];
	int len;
} AES_CTX;
int AES_Setkey(AES_CTX *, const u_int8_t *, int);
void AES_Decrypt(AES_CTX *, const u_int8_t *, u_int8_t *);

int crypto_newsession(u_int64_t *, struct cryptoini *, int);
int crypto_freesession(u_int64_t);
int crypto_invoke(struct cryptop *);
struct cryptop *crypto_getreq(int);
void crypto_freereq(struct cryptop *);

/* Hashes of libkern: hash.c */
#define SHA1_DIGEST_LENGTH 20
#define SHA256_DIGEST_LENGTH 32
#define SHA384_DIGEST_LENGTH 48
#define SHA512_DIGEST_LENGTH 64
#define SHA256_BLOCK_LENGTH 64
typedef struct {
	u_int32_t state[5];
	u_int64_t count;
	u_char buffer[64];
} SHA1_CTX;
typedef struct {
	union {
		u_int32_t st32[8];
		u_int64_t st64[8];
	} state;
	u_int64_t count;
	u_char buffer[128];
} SHA2_CTX;
/* libcrypto has functions of these names. */
#define SHA1Init kern_SHA1Init
#define SHA256Init kern_SHA256Init
#define SHA384Init kern_SHA384Init
#define SHA512Init kern_SHA512Init
void SHA1Init(SHA1_CTX *);
void SHA1Update(SHA1_CTX *, const void *, u_int);
void SHA1Final(u_char *, SHA1_CTX *);
void SHA256Init(SHA2_CTX *);
void SHA256Update(SHA2_CTX *, const void *, size_t);
void SHA256Final(u_char *, SHA2_CTX *);
void SHA384Init(SHA2_CTX *);
void SHA384Update(SHA2_CTX *, const void *, size_t);
void SHA384Final(u_char *, SHA2_CTX *);
void SHA512Init(SHA2_CTX *);
void SHA512Update(SHA2_CTX *, const void *, size_t);
void SHA512Final(u_char *, SHA2_CTX *);

#endif
