// SPDX-License-Identifier: MIT
// Calls every ioctl of /dev/crypto with fields that are right, nearly right, or nothing of the kind, as programs of 64 and of 32 bits, from
// several threads and a forked process on one descriptor; sessions come and go meanwhile. Every call must end with success or one of the
// errnos that it can have.
//   fuzz SEED CALLS THREADS
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/cryptodev.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define MEMORY (3 << 20)
#define SESSIONS 64

static int fd;
static uint8_t *memory, *read_only;	/* below 4 GB */
static uint32_t sessions[SESSIONS];	/* shared by the threads without a lock, as careless programs do */
static unsigned long calls_of[256], done_of[256];

static const uint32_t ciphers[] = { 1, 2, 3, 11, 16, 21, 22, 23, 24, 25, 50, 51, 101 };
static const uint32_t hashes[] = { 6, 7, 8, 13, 14, 18, 19, 20, 102, 103, 104, 105, 106, 107 };
static const uint32_t aeads[] = { 50, 51 }, usual[] = { 104 };
static const uint32_t key_lengths[] = { 8, 16, 16, 16, 24, 32, 32, 64 };
static const uint32_t lengths[] = { 0, 1, 7, 8, 15, 16, 17, 31, 32, 64, 100, 4080, 4095, 4096, 4097, 8192, 16384, 65536, 65552,
				    (1 << 20) - 16, 1 << 20, (1 << 20) + 1, (1 << 20) + 16, (1 << 20) + 65, 0x7fffffff,
				    0x80000000, 0xfffff000, 0xfffffff0, 0xffffffff };
static const unsigned long unsupported[] = { CIOCKEY, CIOCASYNCCRYPT, CIOCASYNCFETCH };
static const int expected[] = { EINVAL, EFAULT, ENOENT, EMSGSIZE, EOPNOTSUPP, EBADMSG, EMFILE, EDQUOT, ENOTTY, EPERM, ENOMEM };

struct thread {
	pthread_t id;
	uint64_t state;
	long calls;
	int number;
};

static uint32_t number(struct thread *t)
{
	t->state = t->state * 6364136223846793005ull + 1442695040888963407ull;
	return t->state >> 33;
}

static int one_in(struct thread *t, uint32_t n)
{
	return number(t) % n == 0;
}

#define ANY(t, list) ((list)[number(t) % LENGTH(list)])

static uint32_t length(struct thread *t)
{
	/* Mostly what is quick, and whole blocks. */
	if (one_in(t, 40))
		return number(t) * 2 + 1;
	return one_in(t, 8) ? ANY(t, lengths) : number(t) % 20 * 16;
}

static void *address(struct thread *t)
{
	switch (number(t) % 100) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)number(t);
	case 2:
		return (void *)0xffff888000000000;	/* the kernel's */
	case 3:
		return (void *)0x00007fffffffefff;	/* the last of a program's */
	case 4:
		return (void *)0x8000000000000000;
	case 5:
		return read_only + number(t) % 4096;
	case 6:
		return memory + MEMORY - number(t) % 64;
	case 7:
		return memory + number(t) % MEMORY;
	default:
		return memory + number(t) % 32 * 65536 + (one_in(t, 3) ? number(t) % 4096 : 0);
	}
}

static uint32_t session(struct thread *t)
{
	return one_in(t, 30) ? number(t) : sessions[number(t) % SESSIONS];
}

static uint32_t algorithm(struct thread *t, const uint32_t *list, size_t count)
{
	return one_in(t, 12) ? number(t) % 200 : list[number(t) % count];
}

static void check(unsigned int which, long result)
{
	if (result >= 0) {
		__atomic_fetch_add(&done_of[which], 1, __ATOMIC_RELAXED);
		return;
	}
	for (unsigned int i = 0; i < LENGTH(expected); i++)
		if (errno == expected[i])
			return;
	printf("ioctl %u: %s\n", which, strerror(errno));
	exit(1);
}

static void call(struct thread *t, unsigned long request, void *argument)
{
	unsigned int which = request & 0xff;

	__atomic_fetch_add(&calls_of[which], 1, __ATOMIC_RELAXED);
	check(which, ioctl(fd, request, one_in(t, 50) ? address(t) : argument));
}

/* What pointers of 32 bits make different. */
struct session_op32 {
	uint32_t cipher, mac, keylen, key, mackeylen, mackey, ses;
};

struct crypt_op32 {
	uint32_t ses;
	uint16_t op, flags;
	uint32_t len, src, dst, mac, iv;
};

struct crypt_auth_op32 {
	uint32_t ses;
	uint16_t op, flags;
	uint32_t len, auth_len, auth_src, src, dst, tag, tag_len, iv, iv_len;
};

/* As a program of 32 bits: its system call, with a copy of the argument where such a program has memory. */
static void call32(struct thread *t, unsigned int which, void *argument, size_t size)
{
	const uint32_t request = _IOC(_IOC_READ | _IOC_WRITE, 'c', which, size);
	void *const low = memory + MEMORY - 65536 + t->number * 512;
	long result;

	memcpy(low, argument, size);
	__atomic_fetch_add(&calls_of[which], 1, __ATOMIC_RELAXED);
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(54L), "b"((long)fd), "c"((long)request), "d"((long)(one_in(t, 50) ? (uintptr_t)address(t) : (uintptr_t)low))
			 : "memory", "r8", "r9", "r10", "r11");
	memcpy(argument, low, size);
	errno = result < 0 ? -result : 0;
	check(which, result);
}

#define OF32(pointer) ((uint32_t)(uintptr_t)(pointer))

static void open_session(struct thread *t)
{
	uint32_t kind = number(t) % 8;
	struct session_op op = {
		.cipher = kind > 2 ? algorithm(t, kind > 5 ? aeads : ciphers, kind > 5 ? LENGTH(aeads) : LENGTH(ciphers)) : 0,
		.mac = kind <= 3 ? algorithm(t, kind == 0 ? usual : hashes, kind == 0 ? LENGTH(usual) : LENGTH(hashes)) : 0,
		.keylen = one_in(t, 10) ? length(t) : ANY(t, key_lengths),
		.key = one_in(t, 10) ? address(t) : memory,
		.mackeylen = one_in(t, 10) ? length(t) : 20,
		.mackey = one_in(t, 10) ? address(t) : memory,
	};

	if (one_in(t, 8)) {
		struct session_op32 low = { op.cipher, op.mac, op.keylen, OF32(op.key), op.mackeylen, OF32(op.mackey), 0 };

		call32(t, 102, &low, sizeof(low));
		op.ses = low.ses;
	} else {
		call(t, CIOCGSESSION, &op);
	}
	if (op.ses)
		sessions[number(t) % SESSIONS] = op.ses;
}

static void open_by_driver(struct thread *t)
{
	static const char *const names[] = { "", "cbc-aes-aesni", "sha256-generic", "nothing", "cbc(aes-generic)", ":" };
	struct session_driver_op op = {
		.cipher = algorithm(t, ciphers, LENGTH(ciphers)), .keylen = ANY(t, key_lengths), .key = (uintptr_t)memory,
		.mac = one_in(t, 2) ? algorithm(t, hashes, LENGTH(hashes)) : 0, .mackeylen = 16, .mackey = (uintptr_t)address(t),
		.flags = one_in(t, 10) ? number(t) : 0,
	};

	strcpy(op.cipher_driver, ANY(t, names));
	strcpy(op.mac_driver, ANY(t, names));
	if (one_in(t, 10))
		memset(op.cipher_driver, 'x', sizeof(op.cipher_driver) + number(t) % 64);
	call(t, CIOCGSESSDRV, &op);
	if (op.ses)
		sessions[number(t) % SESSIONS] = op.ses;
}

/* In place, or overlapping, or neither */
static void spoil_place(struct thread *t, uint8_t *src, uint8_t **dst)
{
	if (one_in(t, 2))
		*dst = src;
	else if (one_in(t, 4))
		*dst = src + number(t) % 128 - 64;
}

static void crypt_some(struct thread *t)
{
	struct crypt_op op = {
		.ses = session(t), .op = one_in(t, 30) ? number(t) : number(t) % 2,
		.flags = one_in(t, 3) ? number(t) : number(t) & (COP_FLAG_NO_ZC | COP_FLAG_WRITE_IV | COP_FLAG_UPDATE | COP_FLAG_FINAL),
		.len = length(t), .src = address(t), .dst = address(t), .mac = address(t), .iv = address(t),
	};

	spoil_place(t, op.src, &op.dst);
	if (one_in(t, 8)) {
		struct crypt_op32 low = { op.ses, op.op, op.flags, op.len, OF32(op.src), OF32(op.dst), OF32(op.mac), OF32(op.iv) };

		call32(t, 104, &low, sizeof(low));
	} else {
		call(t, CIOCCRYPT, &op);
	}
}

static void authcrypt_some(struct thread *t)
{
	static const uint32_t tags[] = { 0, 0, 0, 4, 8, 12, 16, 17 };
	static const uint32_t iv_lengths[] = { 0, 0, 12, 12, 12, 13, 16, 7 };
	struct crypt_auth_op op = {
		.ses = session(t), .op = number(t) % 2, .flags = one_in(t, 5) ? number(t) : 0,
		.len = length(t), .auth_len = one_in(t, 2) ? 0 : length(t), .auth_src = address(t),
		.src = address(t), .dst = address(t), .tag = address(t),
		.tag_len = one_in(t, 10) ? length(t) : ANY(t, tags),
		.iv = address(t), .iv_len = one_in(t, 10) ? number(t) : ANY(t, iv_lengths),
	};

	spoil_place(t, op.src, &op.dst);
	if (one_in(t, 8)) {
		struct crypt_auth_op32 low = { op.ses, op.op, op.flags, op.len, op.auth_len, OF32(op.auth_src), OF32(op.src), OF32(op.dst),
					       OF32(op.tag), op.tag_len, OF32(op.iv), op.iv_len };

		call32(t, 109, &low, sizeof(low));
	} else {
		call(t, CIOCAUTHCRYPT, &op);
	}
}

static void other(struct thread *t)
{
	struct cphash_op copy = { .dst_ses = session(t), .src_ses = session(t) };
	struct session_info_op info = { .ses = session(t) };
	uint32_t id = session(t);

	switch (number(t) % 10) {
	case 0:
	case 6:
	case 7:
		call(t, CIOCCPHASH, &copy);
		break;
	case 1:
	case 2:
		call(t, CIOCGSESSINFO, &info);
		break;
	case 3:
		call(t, CIOCASYMFEAT, &id);
		break;
	case 4:
		id = ~0u;
		call(t, CRIOGET, &id);
		if (id != ~0u)
			close(id);
		break;
	case 5:
		call(t, one_in(t, 2) ? number(t) : ANY(t, unsupported), memory);
		break;
	default:
		call(t, CIOCFSESSION, &id);
	}
}

static void *run(void *argument)
{
	struct thread *t = argument;

	while (t->calls-- > 0) {
		uint32_t kind = number(t) % 16;

		if (kind < 2)
			open_session(t);
		else if (kind < 3)
			open_by_driver(t);
		else if (kind < 8)
			crypt_some(t);
		else if (kind < 13)
			authcrypt_some(t);
		else
			other(t);
	}
	return NULL;
}

/* A program that makes pages come and go while the kernel has them. */
static void *disturb(void *argument)
{
	volatile int *stop = argument;

	while (!*stop) {
		madvise(memory + (1 << 20), 1 << 20, MADV_DONTNEED);
		memset(memory, (uint8_t)clock(), 4096);
		usleep(500);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct thread threads[16] = { 0 };
	int n = argc > 3 ? atoi(argv[3]) : 0, stop = 0, status;
	pthread_t disturber;

	fd = open("/dev/crypto", O_RDWR);
	memory = mmap(NULL, MEMORY + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	read_only = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (n < 1 || n > 16 || fd < 0 || memory == MAP_FAILED || munmap(memory + MEMORY, 4096))
		return 2;
	/* The same device and sessions in another process, which has memory of its own */
	const pid_t child = fork();

	if (!child) {
		struct thread alone = { .state = strtoull(argv[1], NULL, 10) * 1000 + 500, .calls = atol(argv[2]) / 4 };

		for (uint32_t i = 0; i < SESSIONS; i++)
			sessions[i] = i;
		run(&alone);
		_exit(0);
	}
	pthread_create(&disturber, NULL, disturb, &stop);
	for (int i = 0; i < n; i++) {
		threads[i].state = strtoull(argv[1], NULL, 10) * 1000 + i;
		threads[i].calls = atol(argv[2]) / n;
		threads[i].number = i;
		pthread_create(&threads[i].id, NULL, run, &threads[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
	stop = 1;
	pthread_join(disturber, NULL);
	if (waitpid(child, &status, 0) != child || status)
		return 1;
	for (int i = 0; i < 256; i++)
		if (done_of[i] > 0)
			printf("%d %lu %lu\n", i, calls_of[i], done_of[i]);
	return 0;
}
