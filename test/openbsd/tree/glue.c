// SPDX-License-Identifier: MIT
// Between the tests and the crypto(9) of a real tree: counts, faults, and the strictness of ../crypto.c.
#define TREE_CRYPTO
#include "kern.h"

#include "host.h"

long crypto_sessions, crypto_requests, hash_blocks;
int crypto_fault, crypto_fault_error = ENOMEM, crypto_busy;
void swcr_init(void);
u_int32_t deflate_global(u_int8_t *, u_int32_t, int, u_int8_t **);
int tree_newsession(u_int64_t *, struct cryptoini *, int);
int tree_freesession(u_int64_t);
int tree_invoke(struct cryptop *);

static void start(void) {
	static int started;
	if (started++) return;
	kernel_lock();
	crypto_init();
	swcr_init();
	kernel_unlock();
}

int tree_newsession(u_int64_t *sid, struct cryptoini *cri, int hard) {
	start();
	int error = crypto_newsession(sid, cri, hard);
	if (error == 0) crypto_sessions++;
	return error;
}

int tree_freesession(u_int64_t sid) {
	crypto_sessions--;
	return crypto_freesession(sid);
}

int tree_invoke(struct cryptop *crp) {
	struct mbuf *m = crp->crp_buf;
	int len = 0, error;
	crypto_busy = 1;
	may_sleep("crypto_invoke");
	crypto_busy = 0;
	crypto_requests++;
	if (crypto_fault > 0 && --crypto_fault == 0) return crypto_fault_error;
	if (crp->crp_flags & CRYPTO_F_IOV) return crypto_invoke(crp);
	for (struct mbuf *n = m; n; n = n->m_next) {
		if (n->m_len > 0 && M_READONLY(n)) panic("crypto_invoke: a read-only mbuf");
		len += n->m_len;
	}
	KASSERT(len == m->m_pkthdr.len && len == crp->crp_ilen);
	error = crypto_invoke(crp);
	for (struct mbuf *n = m; n; n = n->m_next) len -= n->m_len;
	KASSERT(len == 0);
	return error;
}

void pool_init(struct pool *p, size_t size, u_int align, int ipl, int flags, const char *name, void *allocator) {
	(void)align, (void)ipl, (void)flags, (void)name, (void)allocator;
	p->size = size;
}
void *pool_get(struct pool *p, int flags) {
	start();
	return malloc(p->size, M_CRYPTO_DATA, flags);
}
void pool_put(struct pool *p, void *item) { free(item, M_CRYPTO_DATA, p->size); }

struct mbuf *m_getptr(struct mbuf *m, int at, int *off) {
	for (; m; m = m->m_next) {
		if ((u_int)at < m->m_len || (m->m_next == NULL && (u_int)at == m->m_len)) {
			*off = at;
			return m;
		}
		at -= m->m_len;
	}
	return NULL;
}

int m_apply(struct mbuf *m, int off, int len, int (*f)(caddr_t, caddr_t, u_int), caddr_t state) {
	m = m_getptr(m, off, &off);
	for (; len > 0; m = m->m_next, off = 0) {
		int n = MIN((int)m->m_len - off, len), error = f(state, m->m_data + off, n);
		if (error) return error;
		len -= n;
	}
	return 0;
}

u_int32_t deflate_global(u_int8_t *data, u_int32_t size, int decomp, u_int8_t **out) {
	(void)data, (void)size, (void)decomp, (void)out;
	panic("no compression here");
}
