/* SPDX-License-Identifier: MIT */
/* What the crypto(9) of a real tree needs of the small kernel. */
#ifndef TREE_H
#define TREE_H

typedef unsigned char u8;
typedef unsigned int u32;
#define __BEGIN_DECLS
#define __END_DECLS
#define __bounded__(a, b, c) unused
#define bcopy(a, b, n) memmove(b, a, n)
#define bzero(p, n) memset(p, 0, n)
#define memmove __builtin_memmove
#define mallocarray(n, size, type, flags) malloc((size_t)(n) * (size), type, flags)
#define splvm() 0
#define splx(s) ((void)(s))
#define htobe32(x) __builtin_bswap32(x)
#define betoh32(x) __builtin_bswap32(x)
#define swap32(x) __builtin_bswap32(x)
#define swap64(x) __builtin_bswap64(x)
#define le64toh(x) (x)
#define htole32(x) (x)
#define htole64(x) (x)
#define letoh32(x) (x)
#define letoh64(x) (x)
#define BYTE_ORDER 1234
#define LITTLE_ENDIAN 1234
#define BIG_ENDIAN 4321
#define PAGE_SIZE 4096
#define IPL_VM 5
#define PR_NOWAIT 2
#define PR_WAITOK 1
#define PR_ZERO 8
#define isset(a, i) ((a)[(i) >> 3] & (1 << ((i)&7)))
#define setbit(a, i) ((a)[(i) >> 3] |= 1 << ((i)&7))
#define min(a, b) MIN(a, b)
static inline u_int64_t bemtoh64(const u_int64_t *p) { return __builtin_bswap64(*p); }

#define SLIST_HEAD(name, type) \
	struct name { \
		struct type *slh_first; \
	}
#define SLIST_ENTRY(type) \
	struct { \
		struct type *sle_next; \
	}
#define SLIST_FIRST(h) ((h)->slh_first)
#define SLIST_EMPTY(h) ((h)->slh_first == NULL)
#define SLIST_FOREACH(v, h, f) for ((v) = (h)->slh_first; (v); (v) = (v)->f.sle_next)
#define SLIST_INSERT_HEAD(h, e, f) ((e)->f.sle_next = (h)->slh_first, (h)->slh_first = (e))
#define SLIST_INSERT_AFTER(a, e, f) ((e)->f.sle_next = (a)->f.sle_next, (a)->f.sle_next = (e))
#define SLIST_REMOVE_HEAD(h, f) ((h)->slh_first = (h)->slh_first->f.sle_next)

struct pool {
	size_t size;
};
void pool_init(struct pool *, size_t, u_int, int, int, const char *, void *);
void *pool_get(struct pool *, int);
void pool_put(struct pool *, void *);

struct mbuf *m_getptr(struct mbuf *, int, int *);
int m_apply(struct mbuf *, int, int, int (*)(caddr_t, caddr_t, u_int), caddr_t);

/* So that the tests can count sessions and make requests fail. */
#ifndef TREE_CRYPTO
#define crypto_newsession tree_newsession
#define crypto_freesession tree_freesession
#define crypto_invoke tree_invoke
#endif
#include <crypto/cryptodev.h>

#endif
