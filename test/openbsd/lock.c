// SPDX-License-Identifier: MIT
// Locks, memory and tasks. The rules that are checked, with a real kernel's reasons:
//   - locks are taken in this order: kernel lock or sblock, then socket lock, then a buffer's mutex. sblock and the kernel lock may
//     follow each other either way, because sleeping gives the kernel lock up;
//   - with a mutex held nothing sleeps, and neither the kernel lock nor another lock is taken;
//   - nothing is held on the way out to the caller.
#include <stdarg.h>

#include "kern.h"

#include "host.h"

int kernel_locked;
void (*others)(void);
static int mutexes;
static int locks[4]; /* held, by rank */

void panic(const char *format, ...) {
	va_list ap;
	va_start(ap, format);
	host_vpanic(format, ap);
}

void may_sleep(const char *what) {
	if (mutexes) panic("%s may sleep, and a mutex is held", what);
	concurrency();
}

void concurrency(void) {
	static int inside;
	if (others == NULL || inside || mutexes) return;
	/* The others hold locks of their own. */
	int kernel = kernel_locked, held[4];
	memcpy(held, locks, sizeof(held));
	memset(locks, 0, sizeof(locks));
	kernel_locked = 0;
	inside = 1;
	others();
	inside = 0;
	locks_none();
	memcpy(locks, held, sizeof(held));
	kernel_locked = kernel;
}

static void take(struct lock *l, int rank) {
	if (l->held) panic("%s is taken twice", l->name);
	for (int i = rank; i < 4; i++)
		if (locks[i]) panic("%s is taken out of order", l->name);
	l->held = 1;
	locks[rank]++;
}

static void drop(struct lock *l, int rank) {
	if (!l->held) panic("%s is released and not held", l->name);
	l->held = 0;
	locks[rank]--;
}

void mtx_enter(struct mutex *m) {
	concurrency();
	/* so_rcv and so_snd of one socket never nest here. */
	take(&m->lock, 3);
	mutexes++;
}
void mtx_leave(struct mutex *m) {
	drop(&m->lock, 3);
	mutexes--;
	concurrency();
}
void rw_enter_write(struct rwlock *l) {
	may_sleep(l->lock.name);
	take(&l->lock, l->lock.rank);
}
void rw_exit(struct rwlock *l) { drop(&l->lock, l->lock.rank); }
void kernel_lock(void) {
	if (mutexes) panic("kernel lock under a mutex");
	kernel_locked++;
	concurrency();
}
void kernel_unlock(void) {
	if (--kernel_locked < 0) panic("kernel lock is not held");
}
void locks_none(void) {
	if (mutexes || kernel_locked) panic("a lock is held on the way out");
	for (int i = 0; i < 4; i++)
		if (locks[i]) panic("a lock of rank %d is held on the way out", i);
}

struct taskq *const systq = (struct taskq *)&kernel_locked;
static struct task *queue[64];
static int queued;

void task_set(struct task *t, void (*fn)(void *), void *arg) { t->fn = fn, t->arg = arg, t->queued = 0; }
int task_add(struct taskq *q, struct task *t) {
	KASSERT(q == systq && queued < 64);
	if (t->queued) return 0;
	t->queued = 1;
	queue[queued++] = t;
	return 1;
}
void tasks_run(void) {
	while (queued > 0) {
		struct task *t = queue[--queued];
		kernel_lock();
		t->queued = 0;
		t->fn(t->arg);
		kernel_unlock();
	}
}

struct block {
	size_t size;
	u_int64_t magic;
};
void *malloc(size_t size, int type, int flags) {
	(void)type;
	if (flags & M_WAITOK) may_sleep("malloc");
	struct block *b = host_alloc(sizeof(*b) + size);
	b->size = size;
	b->magic = 0x6d616c6c6f63;
	memset(b + 1, flags & M_ZERO ? 0 : 0xd0, size);
	return b + 1;
}
void free(void *p, int type, size_t size) {
	(void)type;
	if (p == NULL) return;
	struct block *b = (struct block *)p - 1;
	if (b->magic != 0x6d616c6c6f63 || b->size != size) panic("free: %zu bytes, allocated %zu", size, b->size);
	b->magic = 0;
	host_free(b);
}

size_t strlcpy(char *to, const char *from, size_t size) {
	size_t n = strlen(from);
	if (size > 0) {
		size_t c = ulmin(n, size - 1);
		memcpy(to, from, c);
		to[c] = 0;
	}
	return n;
}
int timingsafe_bcmp(const void *a, const void *b, size_t n) {
	const u_char *p = a, *q = b;
	int bits = 0;
	while (n--) bits |= *p++ ^ *q++;
	return bits != 0;
}

/* splitmix64 */
static u_int64_t rnd_state = 1;
void rnd_seed(u_int64_t seed) { rnd_state = seed; }
static u_int64_t rnd64(void) {
	u_int64_t z = (rnd_state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}
u_int32_t rnd(u_int32_t n) { return n ? rnd64() % n : 0; }
void rnd_bytes(void *p, size_t n) {
	u_char *out = p;
	while (n > 0) {
		u_int64_t r = rnd64();
		size_t c = ulmin(n, 8);
		memcpy(out, &r, c);
		out += c, n -= c;
	}
}

static const u_char *fixed;
static size_t nfixed;
void rnd_fixed(const u_char *p, size_t n) { fixed = p, nfixed = n; }
void arc4random_buf(void *p, size_t n) {
	if (n <= nfixed) {
		memcpy(p, fixed, n);
		fixed += n, nfixed -= n;
	} else {
		rnd_bytes(p, n);
	}
}
