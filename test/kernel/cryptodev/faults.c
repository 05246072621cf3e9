// SPDX-License-Identifier: MIT
// Makes every single allocation fail, one after the other, that each ioctl of /dev/crypto does (fail-nth, see
// Documentation/fault-injection): the call is ENOMEM or right, and what follows it is as if it had not been. Root, and a kernel with
// FAULT_INJECTION.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/cryptodev.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LENGTH = 40000, MOST = 1000 };
static int nth, device;
static uint8_t *memory;		/* source, result, tag and IV */
static uint8_t right[LENGTH + 64];

static void wrong(const char *what, int n)
{
	fprintf(stderr, "%s, fault %d: %s\n", what, n, strerror(errno));
	exit(1);
}

static void inject(int n)
{
	char text[16];
	const int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth, text, length, 0) != length)
		wrong("fail-nth", n);
}

/* 0 or -errno of the ioctl with its n-th allocation failing; *hit: there was one. n 0: none fails. */
static int call(unsigned long request, void *argument, int n, int *hit)
{
	char text[16] = "0";

	inject(n);
	const int result = ioctl(device, request, argument) ? -errno : 0;

	if (n && pread(nth, text, sizeof(text) - 1, 0) < 1)
		wrong("fail-nth", n);
	inject(0);
	*hit = n && atoi(text) == 0;
	return result;
}

static uint32_t open_session(uint32_t cipher, uint32_t mac)
{
	struct session_op op = { .cipher = cipher, .mac = mac, .keylen = cipher ? 16 : 0, .key = memory, .mackeylen = mac ? 20 : 0, .mackey = memory };

	if (ioctl(device, CIOCGSESSION, &op))
		wrong("a session", 0);
	return op.ses;
}

static void close_session(uint32_t id)
{
	if (ioctl(device, CIOCFSESSION, &id))
		wrong("closing a session", 0);
}

static int opening(uint32_t cipher, uint32_t mac, int n)
{
	struct session_op op = { .cipher = cipher, .mac = mac, .keylen = cipher ? 16 : 0, .key = memory, .mackeylen = mac ? 20 : 0, .mackey = memory };
	int hit;
	const int result = call(CIOCGSESSION, &op, n, &hit);

	/* ENOENT: the crypto API's word when an instance of a template can't be made. */
	if (result && result != -ENOMEM && result != -ENOENT)
		wrong("CIOCGSESSION", n);
	if (!result)
		close_session(op.ses);
	return hit;
}

static int crypting(uint32_t cipher, uint32_t mac, int flags, int n)
{
	const uint32_t id = open_session(cipher, mac);
	uint8_t *out = memory + LENGTH, *tag = out + LENGTH, *iv = tag + 64;
	struct crypt_op op = { .ses = id, .op = COP_ENCRYPT, .flags = flags, .len = LENGTH, .src = memory, .dst = out, .mac = tag, .iv = iv };
	int hit, none;
	const int result = call(CIOCCRYPT, &op, n, &hit);

	if (result && result != -ENOMEM)
		wrong("CIOCCRYPT", n);
	/* The same again, in peace: with an IV the result depends on nothing before it. */
	if (result && call(CIOCCRYPT, &op, 0, &none))
		wrong("CIOCCRYPT after it", n);
	if (!n)
		memcpy(right, out, LENGTH + 64);
	else if (memcmp(right, out, LENGTH + (mac ? 20 : 0)))
		wrong("the result", n);
	close_session(id);
	return hit;
}

static int sealing(int n)
{
	const uint32_t id = open_session(CRYPTO_AES_GCM, 0);
	uint8_t *out = memory + LENGTH, *iv = out + LENGTH + 64;
	struct crypt_auth_op op = { .ses = id, .op = COP_ENCRYPT, .len = LENGTH, .auth_len = 13, .auth_src = memory, .src = memory, .dst = out, .iv = iv, .iv_len = 12 };
	struct crypt_auth_op again = op;
	int hit, none;
	const int result = call(CIOCAUTHCRYPT, &op, n, &hit);

	if (result && result != -ENOMEM)
		wrong("CIOCAUTHCRYPT", n);
	if (result && call(CIOCAUTHCRYPT, &again, 0, &none))
		wrong("CIOCAUTHCRYPT after it", n);
	if (!n)
		memcpy(right, out, LENGTH + 16);
	else if (memcmp(right, out, LENGTH + 16))
		wrong("the result", n);
	close_session(id);
	return hit;
}

static int copying(int n)
{
	const uint32_t from = open_session(0, CRYPTO_SHA2_256), to = open_session(0, CRYPTO_SHA2_256);
	struct crypt_op op = { .ses = from, .flags = COP_FLAG_UPDATE, .len = 1000, .src = memory };
	struct cphash_op copy = { .dst_ses = to, .src_ses = from };
	int hit;

	if (ioctl(device, CIOCCRYPT, &op))
		wrong("hashing", n);
	const int result = call(CIOCCPHASH, &copy, n, &hit);

	if (result && result != -ENOMEM)
		wrong("CIOCCPHASH", n);
	close_session(from);
	close_session(to);
	return hit;
}

static int cloning(int n)
{
	int fd = -1, hit;
	const int result = call(CRIOGET, &fd, n, &hit);

	if (result && result != -ENOMEM && result != -EMFILE)
		wrong("CRIOGET", n);
	if (!result)
		close(fd);
	return hit;
}

static int opening_device(int n)
{
	char text[16] = "";

	inject(n);
	const int fd = open("/dev/crypto", O_RDWR);
	const int error = errno;

	if (pread(nth, text, sizeof(text) - 1, 0) < 1)
		wrong("fail-nth", n);
	inject(0);
	errno = error;
	if (fd < 0 && errno != ENOMEM && errno != ENFILE)
		wrong("open", n);
	if (fd >= 0)
		close(fd);
	return n && atoi(text) == 0;
}

static int opening_cbc(int n) { return opening(CRYPTO_AES_CBC, 0, n); }
static int opening_both(int n) { return opening(CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC, n); }
static int opening_gcm(int n) { return opening(CRYPTO_AES_GCM, 0, n); }
static int opening_hash(int n) { return opening(0, CRYPTO_SHA2_512_HMAC, n); }
static int in_place(int n) { return crypting(CRYPTO_AES_CBC, 0, 0, n); }
static int by_copy(int n) { return crypting(CRYPTO_AES_CBC, 0, COP_FLAG_NO_ZC, n); }
static int with_mac(int n) { return crypting(CRYPTO_AES_CTR, CRYPTO_SHA1_HMAC, 0, n); }

int main(void)
{
	static const struct {
		const char *name;
		int (*run)(int);
	} all[] = {
		{ "open", opening_device }, { "CIOCGSESSION cbc", opening_cbc }, { "CIOCGSESSION cbc and MAC", opening_both },
		{ "CIOCGSESSION gcm", opening_gcm }, { "CIOCGSESSION MAC", opening_hash }, { "CIOCCRYPT", in_place },
		{ "CIOCCRYPT by copy", by_copy }, { "CIOCCRYPT with MAC", with_mac }, { "CIOCAUTHCRYPT", sealing },
		{ "CIOCCPHASH", copying }, { "CRIOGET", cloning },
	};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	nth = open(path, O_RDWR);
	device = open("/dev/crypto", O_RDWR);
	memory = mmap(NULL, 3 * LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nth < 0 || device < 0 || memory == MAP_FAILED) {
		perror(path);
		return 1;
	}
	for (int i = 0; i < LENGTH; i++)
		memory[i] = i * 7;
	memset(memory + LENGTH, 1, 2 * LENGTH);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int n = 1;

		all[i].run(0);
		while (all[i].run(n))
			if (n++ == MOST)
				wrong("never without a fault", n);
		printf("%s: %d faults\n", all[i].name, n - 1);
		fflush(stdout);
	}
	return 0;
}
