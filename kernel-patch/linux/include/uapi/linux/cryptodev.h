/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/crypto: the kernel's ciphers, hashes and MACs for programs, by ioctl.
 *
 * The interface is the one that programs for Linux already speak (that of the
 * cryptodev-linux module, after OpenBSD's): same numbers, same layouts, same
 * names. What is new here is marked "extension".
 *
 * A session holds an algorithm and its key. It belongs to the open file:
 * whoever has the descriptor can use it, and it ends with CIOCFSESSION or when
 * the file is closed. Operations are done when the ioctl returns. Those of one
 * session never overlap, whatever threads ask for.
 */
#ifndef _UAPI_LINUX_CRYPTODEV_H
#define _UAPI_LINUX_CRYPTODEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __KERNEL__
#define CRYPTODEV_USER __user
#else
#define CRYPTODEV_USER
#endif

#define CRYPTO_CIPHER_MAX_KEY_LEN	64
#define CRYPTO_HMAC_MAX_KEY_LEN		512
#define AALG_MAX_RESULT_LEN		64
#define HASH_MAX_LEN			AALG_MAX_RESULT_LEN
#define EALG_MAX_BLOCK_LEN		16
#define DES_BLOCK_LEN			8
#define DES3_BLOCK_LEN			8
#define BLOWFISH_BLOCK_LEN		8
#define AES_BLOCK_LEN			16
#define RIJNDAEL128_BLOCK_LEN		AES_BLOCK_LEN
#define CAMELLIA_BLOCK_LEN		16
#define CRYPTODEV_MAX_ALG_NAME		64

/*
 * Algorithms. Of the numbers that the interface reserves, those from CAST_CBC
 * to SKIPJACK_CBC, the KPDK ones, ARC4, the compressors and the TLS ones name
 * nothing that this device does.
 */
enum cryptodev_crypto_op_t {
	CRYPTO_DES_CBC = 1,
	CRYPTO_3DES_CBC = 2,
	CRYPTO_BLF_CBC = 3,
	CRYPTO_CAST_CBC = 4,
	CRYPTO_SKIPJACK_CBC = 5,
	CRYPTO_MD5_HMAC = 6,
	CRYPTO_SHA1_HMAC = 7,
	CRYPTO_RIPEMD160_HMAC = 8,
	CRYPTO_MD5_KPDK = 9,
	CRYPTO_SHA1_KPDK = 10,
	CRYPTO_AES_CBC = 11,
	CRYPTO_RIJNDAEL128_CBC = CRYPTO_AES_CBC,
	CRYPTO_ARC4 = 12,
	CRYPTO_MD5 = 13,
	CRYPTO_SHA1 = 14,
	CRYPTO_DEFLATE_COMP = 15,
	CRYPTO_NULL = 16,
	CRYPTO_LZS_COMP = 17,
	CRYPTO_SHA2_256_HMAC = 18,
	CRYPTO_SHA2_384_HMAC = 19,
	CRYPTO_SHA2_512_HMAC = 20,
	CRYPTO_AES_CTR = 21,
	CRYPTO_AES_XTS = 22,
	CRYPTO_AES_ECB = 23,
	CRYPTO_AES_CFB = 24,
	CRYPTO_AES_OFB = 25,
	CRYPTO_AES_GCM = 50,
	CRYPTO_AES_CCM = 51,
	CRYPTO_CAMELLIA_CBC = 101,
	CRYPTO_RIPEMD160 = 102,
	CRYPTO_SHA2_224 = 103,
	CRYPTO_SHA2_256 = 104,
	CRYPTO_SHA2_384 = 105,
	CRYPTO_SHA2_512 = 106,
	CRYPTO_SHA2_224_HMAC = 107,
	CRYPTO_TLS11_AES_CBC_HMAC_SHA1 = 108,
	CRYPTO_TLS12_AES_CBC_HMAC_SHA256 = 109,
	CRYPTO_ALGORITHM_ALL
};

#define CRYPTO_ALGORITHM_MAX	(CRYPTO_ALGORITHM_ALL - 1)

/*
 * CIOCGSESSION: opens a session with a cipher, a hash or MAC, or both; 0 is
 * none. Lengths are in bytes.
 */
struct session_op {
	__u32	cipher;
	__u32	mac;
	__u32	keylen;
	__u8	CRYPTODEV_USER *key;
	__u32	mackeylen;	/* ignored by a plain hash */
	__u8	CRYPTODEV_USER *mackey;
	__u32	ses;		/* out: what names the session from now on */
};

/*
 * CIOCGSESSDRV (extension): as CIOCGSESSION, by drivers of one's own choice,
 * named as in /proc/crypto. Same layout for 32 and 64 bits. An empty name
 * leaves the choice to the kernel; a name that can't be had is ENOENT, never
 * replaced. Only a privileged program may name templates ("cbc(aes-generic)").
 */
struct session_driver_op {
	__u32	cipher;
	__u32	mac;
	__u32	keylen;
	__u32	mackeylen;
	__aligned_u64 key;	/* pointer */
	__aligned_u64 mackey;	/* pointer */
	char	cipher_driver[CRYPTODEV_MAX_ALG_NAME];
	char	mac_driver[CRYPTODEV_MAX_ALG_NAME];
	__u32	ses;		/* out */
	__u32	flags;		/* must be 0 */
};

/* CIOCGSESSINFO: what a session uses. */
struct session_info_op {
	__u32	ses;
	struct alg_info {
		char cra_name[CRYPTODEV_MAX_ALG_NAME];
		char cra_driver_name[CRYPTODEV_MAX_ALG_NAME];
	} cipher_info, hash_info;
	__u16	alignmask;	/* buffers aligned to this + 1 are not copied */
	__u32	flags;		/* SIOP_FLAG_… */
};

/* Some of it is a device, or else out of a program's own reach. */
#define SIOP_FLAG_KERNEL_DRIVER_ONLY	1

#define COP_ENCRYPT	0
#define COP_DECRYPT	1

/*
 * CIOCCRYPT: ciphers and hashes one run of bytes. With both, the hash is that
 * of the plaintext.
 *
 * len is a multiple of the cipher's block. dst is src or does not overlap it;
 * a session without cipher ignores it. Without iv the chain of the session's
 * operation before goes on.
 */
struct crypt_op {
	__u32	ses;
	__u16	op;		/* COP_ENCRYPT or COP_DECRYPT */
	__u16	flags;		/* COP_FLAG_… */
	__u32	len;
	__u8	CRYPTODEV_USER *src;
	__u8	CRYPTODEV_USER *dst;
	__u8	CRYPTODEV_USER *mac;	/* where the hash or MAC goes */
	__u8	CRYPTODEV_USER *iv;
};

/*
 * CIOCAUTHCRYPT: AEAD. Encryption writes len bytes and the tag behind them to
 * dst. Decryption takes the same and writes len - tag_len bytes; EBADMSG says
 * that they are not authentic, and dst is then zeros or untouched. Neither
 * part may be longer than 1 MiB, nor auth_src than 4096 bytes.
 *
 * iv is needed for each operation: 12 bytes for GCM; for CCM 7 to 13 bytes
 * by iv_len, or, with iv_len 0 or 16, 16 bytes in the kernel's own format.
 */
struct crypt_auth_op {
	__u32	ses;
	__u16	op;		/* COP_ENCRYPT or COP_DECRYPT */
	__u16	flags;		/* 0 or COP_FLAG_NO_ZC; the TLS and SRTP types are EOPNOTSUPP */
	__u32	len;		/* out: bytes in dst */
	__u32	auth_len;
	__u8	CRYPTODEV_USER *auth_src;
	__u8	CRYPTODEV_USER *src;
	__u8	CRYPTODEV_USER *dst;
	__u8	CRYPTODEV_USER *tag;	/* out: where in dst the tag is or would be */
	__u32	tag_len;	/* 0 for the longest; out: its length */
	__u8	CRYPTODEV_USER *iv;
	__u32	iv_len;
};

#define COP_FLAG_NONE		0
/*
 * Hashes: without flags an operation is a whole message. UPDATE adds to a
 * message, FINAL ends it and writes mac (so does an UPDATE of 0 bytes that has
 * a mac), RESET begins another. After its end the next message begins anew.
 */
#define COP_FLAG_UPDATE		0x01
#define COP_FLAG_FINAL		0x02
#define COP_FLAG_WRITE_IV	0x04	/* write to iv what goes on the chain */
#define COP_FLAG_NO_ZC		0x08	/* copy, do not work on the program's pages */
#define COP_FLAG_AEAD_TLS_TYPE	0x10
#define COP_FLAG_AEAD_SRTP_TYPE	0x20
#define COP_FLAG_RESET		0x40

/* CIOCCPHASH: gives one session's unfinished message to another's hash. */
struct cphash_op {
	__u32	dst_ses;
	__u32	src_ses;
};

/* Public keys: never done here. CIOCKEY is EOPNOTSUPP, CIOCASYMFEAT answers 0. */
struct crparam {
	__u8	CRYPTODEV_USER *crp_p;
	__u32	crp_nbits;
};

#define CRK_MAXPARAM	8

struct crypt_kop {
	__u32	crk_op;
	__u32	crk_status;
	__u16	crk_iparams;
	__u16	crk_oparams;
	__u32	crk_pad1;
	struct crparam crk_param[CRK_MAXPARAM];
};

/* Another descriptor of the same open file; not needed before CIOCGSESSION. */
#define CRIOGET		_IOWR('c', 101, __u32)
#define CRIOGET_NOT_NEEDED 1

#define CIOCGSESSION	_IOWR('c', 102, struct session_op)
#define CIOCFSESSION	_IOW('c', 103, __u32)
#define CIOCCRYPT	_IOWR('c', 104, struct crypt_op)
#define CIOCKEY		_IOWR('c', 105, struct crypt_kop)
#define CIOCASYMFEAT	_IOR('c', 106, __u32)
#define CIOCGSESSINFO	_IOWR('c', 107, struct session_info_op)
#define CIOCAUTHCRYPT	_IOWR('c', 109, struct crypt_auth_op)
#define CIOCASYNCCRYPT	_IOW('c', 110, struct crypt_op)		/* EOPNOTSUPP */
#define CIOCASYNCFETCH	_IOR('c', 111, struct crypt_op)		/* EOPNOTSUPP */
#define CIOCCPHASH	_IOW('c', 112, struct cphash_op)
#define CIOCGSESSDRV	_IOWR('c', 160, struct session_driver_op)

#endif /* _UAPI_LINUX_CRYPTODEV_H */
