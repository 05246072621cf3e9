/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the module know of each other. */
#ifndef CRYPTODEV_INTERNAL_H
#define CRYPTODEV_INTERNAL_H

#include <linux/cryptodev.h>
#include <linux/crypto.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct file;
struct scatterlist;
struct cd_user;

/* Limits of one operation. */
enum {
	CD_MAX_REQUEST = SZ_1M,		/* bytes given to the crypto API at once, without a tag */
	CD_MAX_PART = SZ_64K,		/* the same if they can go in parts: devices have limits */
	CD_MAX_ASSOC = SZ_4K,
};

enum cd_kind { CD_SKCIPHER, CD_AEAD, CD_AHASH };

/* A number of the ABI and what the kernel calls it. */
struct cd_algorithm {
	u32 number;
	enum cd_kind kind;
	const char *name;
	bool keyed;		/* of hashes: a MAC */
	bool whole;		/* its data can't go in parts */
};

/* An open file of the device. */
struct cd_file {
	struct xarray sessions;	/* by number; its lock covers looking up and taking a reference */
	u32 next;
	atomic_t count;
};

struct cd_session {
	struct kref ref;	/* the table's and those of running operations */
	struct mutex lock;	/* one operation at a time: covers all below */
	struct cd_user *user;
	const struct cd_algorithm *cipher;
	const struct cd_algorithm *hash;
	struct crypto_skcipher *skcipher;
	struct skcipher_request *skcipher_req;
	struct crypto_aead *aead;
	struct aead_request *aead_req;
	struct crypto_ahash *ahash;
	struct ahash_request *ahash_req;
	struct crypto_wait wait;
	unsigned int ivsize;
	unsigned int blocksize;
	unsigned int alignmask;
	unsigned int tagsize;	/* of the aead, as set */
	bool hashing;		/* ahash_req holds a message that has begun */
	u8 iv[EALG_MAX_BLOCK_LEN];
	u8 digest[AALG_MAX_RESULT_LEN];
};

/* The form of CIOCGSESSION that all others become. Drivers: "" or a name. */
struct cd_session_spec {
	u32 cipher, mac, keylen, mackeylen;
	const u8 __user *key, *mackey;
	const char *cipher_driver, *mac_driver;
};

/* algorithms.c */
const struct cd_algorithm *cd_cipher(u32 number);
const struct cd_algorithm *cd_hash(u32 number);

/* tfm.c */
struct crypto_tfm *cd_tfm_new(const struct cd_algorithm *algorithm, const char *driver);
int cd_check_driver_name(const char *name);

/* session.c */
struct cd_session *cd_session_new(const struct cd_session_spec *spec);
void cd_session_put(struct cd_session *session);
void cd_session_describe(struct cd_session *session, struct session_info_op *info);

/* table.c */
int cd_open_session(struct cd_file *file, const struct cd_session_spec *spec, u32 *id);
int cd_close_session(struct cd_file *file, u32 id);
struct cd_session *cd_session_get(struct cd_file *file, u32 id);
struct cd_session *cd_session_lock(struct cd_file *file, u32 id);
void cd_session_unlock(struct cd_session *session);
void cd_table_init(struct cd_file *file);
void cd_table_destroy(struct cd_file *file);

/* quota.c */
struct cd_user *cd_charge(void);
void cd_uncharge(struct cd_user *user);

/* crypt.c, aead.c */
int cd_crypt(struct cd_file *file, const struct crypt_op *op);
int cd_authcrypt(struct cd_file *file, struct crypt_auth_op *op);

/* hash.c */
int cd_hash_begin(struct cd_session *session);
int cd_hash_update(struct cd_session *session, struct scatterlist *sg, unsigned int len);
int cd_hash_end(struct cd_session *session);
int cd_copy_hash(struct cd_file *file, const struct cphash_op *op);

/* main.c */
long cd_ioctl_common(struct file *filp, unsigned int cmd, void __user *arg);

/* compat.c */
long cd_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);

#endif /* CRYPTODEV_INTERNAL_H */
