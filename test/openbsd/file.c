// SPDX-License-Identifier: MIT
// Descriptors, and /dev/crypto by its ioctls.
#include "kern.h"

#include <crypto/cryptodev.h>

#include "host.h"
#include "tests.h"

#define CHECK(x) ((x) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #x))
#define SAME(a, b) \
	do { \
		long a_ = (a), b_ = (b); \
		if (a_ != b_) panic("%s:%d: %s is %ld, not %ld", __FILE__, __LINE__, #a, a_, b_); \
	} while (0)

int cryptoopen(dev_t, int, int, struct proc *);
int cryptoclose(dev_t, int, int, struct proc *);
int cryptoioctl(dev_t, u_long, caddr_t, int, struct proc *);
extern int usercrypto;

static struct file files[2];
static int nfiles;

int falloc(struct proc *p, struct file **fp, int *fd) {
	(void)p;
	if (nfiles == nitems(files)) return EMFILE;
	*fd = nfiles;
	*fp = &files[nfiles++];
	return 0;
}
void fdinsert(struct filedesc *fdp, int fd, int flags, struct file *fp) {
	(void)fdp, (void)flags;
	CHECK(fp == &files[fd]);
}

/* The first page is never mapped. */
int copyin(const void *from, void *to, size_t n) {
	may_sleep("copyin");
	if ((uintptr_t)from < 4096) return EFAULT;
	if (n > 0) memcpy(to, from, n);
	return 0;
}
int copyout(const void *from, void *to, size_t n) {
	may_sleep("copyout");
	if ((uintptr_t)to < 4096) return EFAULT;
	if (n > 0) memcpy(to, from, n);
	return 0;
}

static int control(int fd, u_long cmd, void *data) {
	int error = files[fd].f_ops->fo_ioctl(&files[fd], cmd, data, NULL);
	locks_none();
	return error;
}

/* What each algorithm must give: libcrypto's words for it. */
static const struct {
	int alg, klen, ivlen, block;
	const char *name;
} ciphers[] = {
	{ CRYPTO_3DES_CBC, 24, 8, 8, "DES-EDE3-CBC" },
	{ CRYPTO_AES_CBC, 16, 16, 16, "AES-128-CBC" },
	{ CRYPTO_AES_CBC, 32, 16, 16, "AES-256-CBC" },
	{ CRYPTO_AES_CTR, 20, 8, 16, "AES-128-CTR" },
	{ CRYPTO_AES_CTR_128, 24, 16, 16, "AES-192-CTR" },
};
static const struct {
	int alg, len;
	const char *name;
} macs[] = {
	{ CRYPTO_SHA1_HMAC, 12, "sha1" },
	{ CRYPTO_SHA2_256_HMAC, 16, "sha256" },
	{ CRYPTO_SHA2_384_HMAC, 24, "sha384" },
	{ CRYPTO_SHA2_512_HMAC, 32, "sha512" },
	{ CRYPTO_MD5_HMAC, 12, "md5" },
	{ CRYPTO_MD5_HMAC_128, 16, "md5" },
	{ CRYPTO_SHA1_HMAC_160, 20, "sha1" },
	{ CRYPTO_SHA2_256_HMAC_256, 32, "sha256" },
	{ CRYPTO_SHA2_384_HMAC_384, 48, "sha384" },
	{ CRYPTO_SHA2_512_HMAC_512, 64, "sha512" },
};
static u_char src[1 << 18], dst[1 << 18], expect[1 << 18];

static void test_algorithms(int fd) {
	for (u_int i = 0; i <= nitems(ciphers); i++)
		for (u_int k = 0; k <= nitems(macs); k++) {
			u_char key[64], mackey[40], iv[16] = { 0 }, mac[65], want[64];
			int c = i < nitems(ciphers), h = k < nitems(macs);
			if (!c && !h) continue;
			rnd_bytes(key, sizeof(key));
			rnd_bytes(mackey, sizeof(mackey));
			struct session_op sop = { 0 };
			if (c) sop.cipher = ciphers[i].alg, sop.keylen = ciphers[i].klen, sop.key = (caddr_t)key;
			if (h) sop.mac = macs[k].alg, sop.mackeylen = sizeof(mackey), sop.mackey = (caddr_t)mackey;
			SAME(control(fd, CIOCGSESSION, &sop), 0);
			u_int len = 16 * (1 + rnd(rnd(4) ? 100 : 16383));
			if (rnd(8) == 0) len = 262140 & ~15;
			rnd_bytes(src, len);
			if (c) rnd_bytes(iv, ciphers[i].ivlen);
			mac[64] = 77;
			for (int op = COP_ENCRYPT; op <= COP_DECRYPT; op++) {
				struct crypt_op cop = { .ses = sop.ses, .op = op, .len = len, .src = (caddr_t)src, .dst = (caddr_t)dst,
					.mac = (caddr_t)mac, .iv = (caddr_t)iv };
				memcpy(expect, src, len);
				SAME(control(fd, CIOCCRYPT, &cop), 0);
				if (h) {
					host_hmac(macs[k].name, mackey, sizeof(mackey), src, len, want);
					CHECK(memcmp(mac, want, macs[k].len) == 0);
				}
				if (c) {
					u_char full[16] = { 0 };
					memcpy(full, iv, ciphers[i].ivlen);
					if (ciphers[i].alg == CRYPTO_AES_CTR) {
						memcpy(full, key + 16, 4);
						memcpy(full + 4, iv, 8);
						full[15] = 1;
					}
					host_cipher(ciphers[i].name, key, full, op == COP_ENCRYPT, expect, len);
					CHECK(memcmp(dst, expect, len) == 0);
				}
			}
			SAME(mac[64], 77);
			SAME(control(fd, CIOCFSESSION, &sop.ses), 0);
			SAME(control(fd, CIOCFSESSION, &sop.ses), EINVAL);
		}
}

void test_device(void) {
	u_int32_t fd, other;
	u_char key[64] = { 3 };
	struct session_op good = { .cipher = CRYPTO_AES_CBC, .mac = CRYPTO_SHA1_HMAC_160, .keylen = 16, .key = (caddr_t)key, .mackeylen = 20,
		.mackey = (caddr_t)key };
	struct crypt_op cop = { .op = COP_ENCRYPT, .len = 32, .src = (caddr_t)src, .dst = (caddr_t)dst, .mac = (caddr_t)expect, .iv = (caddr_t)key };

	nfiles = 0;
	others = NULL;
	SAME(cryptoopen(0, 0, 0, NULL), ENXIO); /* off by default */
	usercrypto = 1;
	SAME(cryptoopen(0, 0, 0, NULL), 0);
	struct proc proc = { 0 };
	SAME(cryptoioctl(0, CIOCCRYPT, (caddr_t)&fd, 0, &proc), EINVAL);
	SAME(cryptoioctl(0, CRIOGET, (caddr_t)&fd, 0, &proc), 0);
	SAME(cryptoioctl(0, CRIOGET, (caddr_t)&other, 0, &proc), 0);
	SAME(cryptoioctl(0, CRIOGET, (caddr_t)&other, 0, &proc), EMFILE);
	SAME(cryptoclose(0, 0, 0, NULL), 0);
	rnd_seed(5);
	for (int round = 0; round < 3; round++) test_algorithms(fd);

#define REFUSED(errno_, kind, cmd, from, change) \
	do { \
		kind bad = from; \
		change; \
		SAME(control(fd, cmd, &bad), errno_); \
	} while (0)
#define NO_SESSION(errno_, change) REFUSED(errno_, struct session_op, CIOCGSESSION, good, change)
#define NO_OP(errno_, change) REFUSED(errno_, struct crypt_op, CIOCCRYPT, cop, change)
	NO_SESSION(EINVAL, bad.cipher = bad.mac = 0);
	NO_SESSION(EINVAL, bad.cipher = CRYPTO_AES_GCM_16);
	NO_SESSION(EINVAL, bad.cipher = 99);
	NO_SESSION(EINVAL, bad.keylen = 15);
	NO_SESSION(EINVAL, bad.keylen = 0x20000010);
	NO_SESSION(EINVAL, bad.mac = 99);
	NO_SESSION(EINVAL, bad.mackeylen = 65);
	NO_SESSION(EINVAL, bad.mackeylen = -1);
	NO_SESSION(EFAULT, bad.key = (caddr_t)8);
	NO_SESSION(EFAULT, bad.mackey = (caddr_t)8);
	SAME(crypto_sessions, 0);
	SAME(control(fd, CIOCGSESSION, &good), 0);
	cop.ses = good.ses;
	SAME(control(fd, CIOCCRYPT, &cop), 0);
	/* Another descriptor's session is not ours. */
	SAME(control(other, CIOCCRYPT, &cop), EINVAL);
	NO_OP(EINVAL, bad.op = 3);
	NO_OP(EINVAL, bad.flags = 1);
	NO_OP(E2BIG, bad.len = 0);
	NO_OP(E2BIG, bad.len = 262144);
	NO_OP(E2BIG, bad.len = 0xfffffff0);
	NO_OP(EINVAL, bad.len = 33);
	NO_OP(EINVAL, bad.iv = NULL);
	NO_OP(EINVAL, bad.dst = NULL);
	NO_OP(EINVAL, bad.mac = NULL);
	NO_OP(EFAULT, bad.src = (caddr_t)8);
	NO_OP(EFAULT, bad.dst = (caddr_t)8);
	NO_OP(EFAULT, bad.iv = (caddr_t)8);
	NO_OP(EFAULT, bad.mac = (caddr_t)8);
	SAME(control(fd, _IOW('c', 99, int), &cop), EINVAL);
	crypto_fault = 1;
	crypto_fault_error = ENOMEM;
	SAME(control(fd, CIOCCRYPT, &cop), ENOMEM);
	SAME(control(fd, CIOCCRYPT, &cop), 0);
	/* The driver went away: never with another session's keys. */
	crypto_fault = 1;
	crypto_fault_error = EAGAIN;
	SAME(control(fd, CIOCCRYPT, &cop), EIO);
	SAME(control(fd, CIOCCRYPT, &cop), EIO);
	crypto_fault = 0;
	for (int i = 0; i < 40; i++) SAME(control(fd, CIOCGSESSION, &good), 0);
	usercrypto = 0;
	SAME(control(fd, CIOCCRYPT, &cop), EACCES);
	for (int i = 0; i < 2; i++) SAME(files[i].f_ops->fo_close(&files[i], NULL), 0);
	SAME(crypto_sessions, 0);
	SAME(mbufs, 0);
	host_print("ok - /dev/crypto\n");
}
