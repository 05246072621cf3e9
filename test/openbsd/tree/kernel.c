// SPDX-License-Identifier: MIT
// What uipc_socket.c, uipc_socket2.c, uipc_mbuf.c and crypto(9) of a real tree need to run in a process: one thread, one CPU.
// Locks are checked, and where a real kernel could be interrupted or sleep, network() runs.
#include "kernel.h"

#undef malloc
#undef free
#undef printf

struct cpu_info fake_cpu;
struct proc one_process;
void *fake_gs(void) {
	fake_cpu.ci_self = &fake_cpu;
	fake_cpu.ci_curproc = &one_process;
	return &fake_cpu;
}

int splassert_ctl, db_active;
const char *panicstr;
struct rwlock netlock;
long nmbclust = 1 << 20;
struct uvm_constraint_range {
	int x;
};
char kp_dma_contig[256], kp_mbuf_contig[256], ifnetlist[64];
struct pool_allocator pool_allocator_multi;
static int mutexes;
long live;

void *k_malloc(size_t n, int t, int f) {
	if (f & M_WAITOK) CHECK(mutexes == 0);
	char *p = host_alloc(n);
	memset(p, f & M_ZERO ? 0 : 0xd1, n);
	live++;
	return p;
}
void *mallocarray(size_t a, size_t b, int t, int f) { return k_malloc(a * b, t, f); }
void k_free(void *p, int t, size_t n) {
	if (p) {
		live--;
		memset(p, 0xdf, n);
		host_free(p);
	}
}
int k_printf(const char *f, ...) { return 0; }
void panic(const char *f, ...) {
	host_die("panic: %s", f);
	for (;;)
		;
}
void __assert(const char *t, const char *file, int line, const char *e) {
	host_die("%s:%d: %s", file, line, e);
	for (;;)
		;
}
void pool_init(struct pool *pp, size_t n, u_int a, int i, int f, const char *w, struct pool_allocator *al) { pp->pr_size = n; }
void *pool_get(struct pool *pp, int f) {
	return k_malloc(pp->pr_size, 0, (f & PR_ZERO ? M_ZERO : 0) | (f & PR_WAITOK ? M_WAITOK : M_NOWAIT));
}
void pool_put(struct pool *pp, void *p) { k_free(p, 0, pp->pr_size); }
void pool_cache_init(struct pool *p) {}
void pool_set_constraints(struct pool *p, const struct kmem_pa_mode *m) {}
void pool_wakeup(struct pool *p) {}
struct cpumem *counters_alloc_ncpus(struct cpumem *c, unsigned int n) {
	return c;
}
static int net_depth;
void (*network)(void);
static void others(void) {
	if (network && !mutexes && !net_depth) {
		net_depth++;
		network();
		net_depth--;
	}
}

#undef mtx_enter
#undef mtx_leave
void __mtx_init(struct mutex *m, int ipl) { memset(m, 0, sizeof(*m)); }
void mtx_enter(struct mutex *m) {
	others();
	CHECK(m->mtx_owner == NULL);
	m->mtx_owner = curcpu();
	mutexes++;
}
void mtx_leave(struct mutex *m) {
	CHECK(m->mtx_owner == curcpu());
	m->mtx_owner = NULL;
	mutexes--;
	others();
}
int locked;
void _kernel_lock(void) {
	CHECK(mutexes == 0);
	locked++;
	others();
}
void _kernel_unlock(void) {
	locked--;
	CHECK(locked >= 0);
}
int _kernel_lock_held(void) { return locked > 0; }
#undef rw_enter
void _rw_init_flags(struct rwlock *l, const char *n, int f, const struct lock_type *t, int tr) { memset(l, 0, sizeof(*l)); }
int rw_enter(struct rwlock *l, int f) {
	CHECK(mutexes == 0);
	CHECK(l->rwl_owner == 0);
	others();
	l->rwl_owner = 1;
	return 0;
}
void rw_enter_write(struct rwlock *l) { rw_enter(l, 0); }
void rw_enter_read(struct rwlock *l) {
	CHECK(mutexes == 0);
	l->rwl_owner++;
}
void rw_exit(struct rwlock *l) {
	CHECK(l->rwl_owner > 0);
	l->rwl_owner--;
}
void rw_exit_write(struct rwlock *l) { rw_exit(l); }
void rw_exit_read(struct rwlock *l) { rw_exit(l); }
int rw_status(struct rwlock *l) { return RW_READ; }
void rw_assert_wrlock(struct rwlock *l) { CHECK(l->rwl_owner); }
void rw_assert_unlocked(struct rwlock *l) { CHECK(!l->rwl_owner); }
int rwsleep_nsec(const volatile void *i, struct rwlock *l, int p, const char *w, uint64_t n) {
	host_die("rwsleep");
	return 0;
}
static int slept;
int msleep_nsec(const volatile void *i, struct mutex *m, int p, const char *w, uint64_t n) {
	slept++;
	mtx_leave(m);
	if (network) {
		net_depth++;
		network();
		net_depth--;
	}
	mtx_enter(m);
	CHECK(slept < 100000);
	return 0;
}
void wakeup(const volatile void *c) {}
void wakeup_n(const volatile void *c, int n) {}
void refcnt_init(struct refcnt *r) { r->r_refs = 1; }
void refcnt_init_trace(struct refcnt *r, int i) { r->r_refs = 1; }
void refcnt_take(struct refcnt *r) { r->r_refs++; }
int refcnt_rele(struct refcnt *r) { return --r->r_refs == 0; }
u_int refcnt_read(const struct refcnt *r) { return r->r_refs; }
static struct task *tasks[8];
static int ntasks;
struct taskq *const systq;
void task_set(struct task *t, void (*f)(void *), void *a) {
	t->t_func = f;
	t->t_arg = a;
}
int task_add(struct taskq *q, struct task *t) {
	tasks[ntasks++] = t;
	return 1;
}
int task_del(struct taskq *q, struct task *t) { return 0; }
void run_tasks(void) {
	while (ntasks) {
		struct task *t = tasks[--ntasks];
		_kernel_lock();
		t->t_func(t->t_arg);
		_kernel_unlock();
	}
}
void taskq_barrier(struct taskq *q) {}
struct taskq *net_tq(unsigned int n) {
	return NULL;
}
int timeout_add_nsec(struct timeout *t, uint64_t n) { return 0; }
void timeout_barrier(struct timeout *t) {}
int timeout_del(struct timeout *t) { return 0; }
void timeout_set_flags(struct timeout *t, void (*f)(void *), void *a, int k, int fl) {}
void klist_init_mutex(struct klist *k, struct mutex *m) {}
void klist_free(struct klist *k) {}
void klist_insert(struct klist *k, struct knote *n) {}
void klist_remove(struct klist *k, struct knote *n) {}
void knote(struct klist *k, long h) {}
void knote_locked(struct klist *k, long h) {}
void knote_assign(const struct kevent *e, struct knote *n) {}
void knote_submit(struct knote *n, struct kevent *e) {}
void pgsigio(struct sigio_ref *s, int a, int b) {}
void sigio_free(struct sigio_ref *s) {}
void sigio_copy(struct sigio_ref *a, struct sigio_ref *b) {}
struct file other_file;
int getsock(struct proc *p, int fd, struct file **fp) {
	*fp = &other_file;
	return 0;
}
int fdrop(struct file *fp, struct proc *p) { return 0; }
const struct protosw *pffindproto(int a, int b, int c) { return NULL; }
const struct protosw *pffindtype(int a, int b) { return NULL; }
int suser(struct proc *p) { return 1; }
int sysctl_int(void *a, size_t *b, void *c, size_t d, int *e) { return 0; }
int sysctl_rdint(void *a, size_t *b, void *c, int e) { return 0; }
int splraise(int i) { return 0; }
int spllower(int i) { return 0; }
void splassert_fail(int a, int b, const char *f) {}
void microtime(struct timeval *t) {}
void microboottime(struct timeval *t) {}
void m_tag_delete_chain(struct mbuf *m) { SLIST_INIT(&m->m_pkthdr.ph_tags); }
int m_tag_copy_chain(struct mbuf *a, struct mbuf *b, int w) { return 0; }
int timingsafe_bcmp(const void *a, const void *b, size_t n) {
	const u_char *p = a, *q = b;
	int x = 0;
	while (n--) x |= *p++ ^ *q++;
	return x != 0;
}
u_int32_t deflate_global(u_int8_t *a, u_int32_t b, int c, u_int8_t **d) { return 0; }
static u_int64_t seed = 88172645463325252ULL;
u_int rnd(u_int n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % n;
}
void arc4random_buf(void *p, size_t n) {
	u_char *c = p;
	while (n--) *c++ = rnd(256);
}
size_t strlcpy(char *to, const char *from, size_t n) {
	size_t i;
	for (i = 0; i + 1 < n && from[i]; i++) to[i] = from[i];
	to[i] = 0;
	return i;
}
int uiomove(void *p, size_t n, struct uio *uio) {
	CHECK(mutexes == 0);
	others();
	CHECK(uio->uio_iovcnt == 1 && n <= uio->uio_iov->iov_len);
	if (uio->uio_rw == UIO_WRITE) memcpy(p, uio->uio_iov->iov_base, n);
	else memcpy(uio->uio_iov->iov_base, p, n);
	uio->uio_iov->iov_base = (char *)uio->uio_iov->iov_base + n;
	uio->uio_iov->iov_len -= n;
	uio->uio_resid -= n;
	uio->uio_offset += n;
	return 0;
}
