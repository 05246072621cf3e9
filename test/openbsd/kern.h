/* SPDX-License-Identifier: MIT */
/*
 * A kernel small enough to read: what kernel-patch/openbsd uses of OpenBSD's, with the same names and our own insides. All headers
 * that the kernel sources include are this one. One thread; what other threads and the network would do meanwhile happens in
 * concurrency(), which every function calls in which a real kernel could sleep or be interrupted.
 */
#ifndef KERN_H
#define KERN_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u_int8_t;
typedef uint16_t u_int16_t;
typedef uint32_t u_int32_t;
typedef uint64_t u_int64_t;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef uint32_t socklen_t;
typedef long ssize_t;
typedef char *caddr_t;
typedef int64_t off_t;
typedef int32_t pid_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;

/* libc, as far as it is the same in a kernel */
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
int strcmp(const char *, const char *);
size_t strlen(const char *);
int snprintf(char *, size_t, const char *, ...);
void explicit_bzero(void *, size_t);
int ffs(int);
#define strlcpy kern_strlcpy
#define arc4random_buf kern_arc4random_buf
#define timingsafe_bcmp kern_timingsafe_bcmp
size_t strlcpy(char *, const char *, size_t);
void arc4random_buf(void *, size_t);
int timingsafe_bcmp(const void *, const void *, size_t);

#define nitems(a) (sizeof(a) / sizeof((a)[0]))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define howmany(x, y) (((x) + ((y)-1)) / (y))
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#define htobe64(x) __builtin_bswap64(x)
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define CTASSERT(x) _Static_assert(x, #x)
#define KASSERT(x) ((x) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #x))
static inline u_long ulmin(u_long a, u_long b) { return a < b ? a : b; }
_Noreturn void panic(const char *, ...) __attribute__((format(printf, 1, 2)));

#define EIO 5
#define E2BIG 7
#define ENXIO 6
#define ENOMEM 12
#define ENOENT 2
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define EINVAL 22
#define EMFILE 24
#define EAGAIN 35
#define EWOULDBLOCK EAGAIN
#define EMSGSIZE 40
#define ENOPROTOOPT 42
#define EOPNOTSUPP 45
#define ECONNABORTED 53
#define ECONNRESET 54
#define ENOBUFS 55
#define ENOTCONN 57
#define EPIPE 32
#define ENEEDAUTH 81
#define EBADMSG 92
#define ERESTART (-1)

/* Memory. free() is told the size, and panics when that is wrong. */
#define M_TEMP 1
#define M_CRYPTO_DATA 2
#define M_DEVBUF 3
#define M_WAITOK 1
#define M_NOWAIT 2
#define M_ZERO 8
#define M_WAIT M_WAITOK
#define M_DONTWAIT M_NOWAIT
#define malloc kern_malloc
#define free kern_free
void *malloc(size_t, int, int);
void free(void *, int, size_t);

/* Locks. Order and what may sleep under which are checked: lock.c. */
struct lock {
	const char *name;
	int rank;
	int held;
};
struct mutex {
	struct lock lock;
};
struct rwlock {
	struct lock lock;
};
void mtx_enter(struct mutex *);
void mtx_leave(struct mutex *);
#define MUTEX_ASSERT_LOCKED(m) KASSERT((m)->lock.held)
void rw_enter_write(struct rwlock *);
void rw_exit(struct rwlock *);
void kernel_lock(void);
void kernel_unlock(void);
#define KERNEL_LOCK() kernel_lock()
#define KERNEL_UNLOCK() kernel_unlock()
#define KERNEL_ASSERT_LOCKED() KASSERT(kernel_locked > 0)
extern int kernel_locked;
void may_sleep(const char *); /* panics when it must not */
void concurrency(void);       /* the others run */
extern void (*others)(void);
void locks_none(void); /* panics unless no lock is held */

struct task {
	void (*fn)(void *);
	void *arg;
	int queued;
};
struct taskq;
extern struct taskq *const systq;
void task_set(struct task *, void (*)(void *), void *);
int task_add(struct taskq *, struct task *);
void tasks_run(void);

/* mbufs: mbuf.c */
#define MLEN 224
#define MHLEN 144
#define MCLBYTES 2048
#define MAXMCLBYTES 65536
#define MSIZE 256
#define M_EXT 0x1
#define M_PKTHDR 0x2
#define M_EOR 0x4
#define M_ZEROIZE 0x2000
#define MT_DATA 1
#define MT_SOOPTS 4
#define MT_CONTROL 6

struct cluster {
	int refs;
	int readonly; /* not plain memory, whoever has it */
	u_int size;
	u_char data[] __attribute__((aligned(16)));
};
struct mbuf {
	struct mbuf *m_next, *m_nextpkt;
	caddr_t m_data;
	u_int m_len;
	int m_type;
	int m_flags;
	struct {
		int len;
	} m_pkthdr;
	struct {
		u_int ext_size;
		struct cluster *cluster;
	} m_ext;
	char m_pktdat[MHLEN];
	char m_rest[MLEN - MHLEN];
};
#define mtod(m, t) ((t)((m)->m_data))
#define M_READONLY(m) \
	(((m)->m_flags & M_EXT) && ((m)->m_ext.cluster->readonly || (m)->m_ext.cluster->refs > 1))
struct mbuf *m_get(int, int);
struct mbuf *m_gethdr(int, int);
void m_clget(struct mbuf *, int, u_int);
#define MGET(m, how, type) m = m_get(how, type)
#define MGETHDR(m, how, type) m = m_gethdr(how, type)
#define MCLGET(m, how) m_clget(m, how, MCLBYTES)
#define MCLGETL(m, how, len) m_clget(m, how, len)
struct mbuf *m_free(struct mbuf *);
void m_freem(struct mbuf *);
void m_copydata(struct mbuf *, int, int, void *);
int m_copyback(struct mbuf *, int, int, const void *, int);
void m_adj(struct mbuf *, int);
extern long mbufs; /* in use */
extern int cluster_shortage; /* per cent of M_NOWAIT requests that fail */

/* Sockets: socket.c */
struct filedesc;
struct proc {
	struct filedesc *p_fd;
	struct {
		long ru_msgrcv, ru_msgsnd;
	} p_ru;
};
struct uio {
	u_char *base;
	size_t uio_resid;
	size_t fault; /* bytes until a page is missing */
	int writing;  /* from base to the kernel */
	struct proc *uio_procp;
	/* of requests to crypto(9) that are not mbufs */
	struct iovec {
		void *iov_base;
		size_t iov_len;
	} *uio_iov;
	int uio_iovcnt;
};
int uiomove(void *, size_t, struct uio *);

/* Devices and descriptors: file.c */
typedef int dev_t;
struct knote;
struct stat {
	int st_mode;
};
struct file {
	int f_flag, f_type;
	const struct fileops *f_ops;
	void *f_data;
};
struct fileops {
	int (*fo_read)(struct file *, struct uio *, int);
	int (*fo_write)(struct file *, struct uio *, int);
	int (*fo_ioctl)(struct file *, u_long, caddr_t, struct proc *);
	int (*fo_kqfilter)(struct file *, struct knote *);
	int (*fo_stat)(struct file *, struct stat *, struct proc *);
	int (*fo_close)(struct file *, struct proc *);
};
#define FREAD 1
#define FWRITE 2
#define DTYPE_CRYPTO 7
#define fdplock(fd) ((void)(fd))
#define fdpunlock(fd) ((void)(fd))
#define FRELE(fp, p) ((void)(fp), (void)(p))
int falloc(struct proc *, struct file **, int *);
void fdinsert(struct filedesc *, int, int, struct file *);
int copyin(const void *, void *, size_t);
int copyout(const void *, void *, size_t);
#define _IOWR(group, n, type) (0xc0000000u | sizeof(type) << 16 | (group) << 8 | (n))
#define _IOW(group, n, type) (0x80000000u | sizeof(type) << 16 | (group) << 8 | (n))
#define FIONBIO _IOW('f', 126, int)
#define FIOASYNC _IOW('f', 125, int)
#define rw_init(l, n) (*(l) = (struct rwlock){ { n, 1, 0 } })
#define rw_exit_write(l) rw_exit(l)
#define LIST_HEAD(name, type) \
	struct name { \
		struct type *lh_first; \
	}
#define LIST_ENTRY(type) \
	struct { \
		struct type *le_next, **le_prev; \
	}
#define LIST_INIT(h) ((h)->lh_first = NULL)
#define LIST_FIRST(h) ((h)->lh_first)
#define LIST_EMPTY(h) ((h)->lh_first == NULL)
#define LIST_FOREACH(v, h, f) for ((v) = (h)->lh_first; (v); (v) = (v)->f.le_next)
#define LIST_INSERT_HEAD(h, e, f) \
	((e)->f.le_next = (h)->lh_first, (h)->lh_first ? (h)->lh_first->f.le_prev = &(e)->f.le_next : NULL, (h)->lh_first = (e), \
	    (e)->f.le_prev = &(h)->lh_first)
#define LIST_REMOVE(e, f) \
	(*(e)->f.le_prev = (e)->f.le_next, (e)->f.le_next ? (e)->f.le_next->f.le_prev = (e)->f.le_prev : NULL)

struct so_crypt;
struct sockbuf {
	struct rwlock sb_lock;
	struct mutex sb_mtx;
	u_long sb_cc, sb_datacc, sb_hiwat, sb_mbcnt, sb_mbmax;
	struct mbuf *sb_mb, *sb_mbtail, *sb_lastrecord;
	short sb_state;
	struct so_crypt *sb_crypt;
};
struct socket;
struct protosw {
	short pr_protocol;
};
struct sosplice {
	struct socket *ssp_socket, *ssp_soback;
};
struct socket {
	const struct protosw *so_proto;
	u_int so_state;
	short so_options;
	u_int so_error;
	u_long so_oobmark;
	struct sosplice *so_sp;
	struct sockbuf so_rcv, so_snd;
	struct rwlock so_lock;
	/* the test's: */
	u_char *out; /* what was sent */
	size_t out_len, out_size;
	long window; /* advertised, and not used */
	u_long wakeups;
};
#define isspliced(so) ((so)->so_sp && (so)->so_sp->ssp_socket)
#define issplicedback(so) ((so)->so_sp && (so)->so_sp->ssp_soback)
#define IPPROTO_TCP 6
#define SO_ACCEPTCONN 0x2
#define SS_ISCONNECTED 0x2
#define SS_ISCONNECTING 0x4
#define SS_CANTSENDMORE 0x10
#define SS_CANTRCVMORE 0x20
#define SS_RCVATMARK 0x40
#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_EOR 0x8
#define MSG_WAITALL 0x40
#define MSG_DONTWAIT 0x80
#define SBL_WAIT 1
#define SBL_NOINTR 2
struct cmsghdr {
	socklen_t cmsg_len;
	int cmsg_level, cmsg_type;
};
#define CMSG_ALIGN(n) roundup(n, 8)
#define CMSG_LEN(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_SPACE(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(n))
#define CMSG_DATA(c) ((u_char *)(c) + CMSG_ALIGN(sizeof(struct cmsghdr)))

int sblock(struct sockbuf *, int);
void sbunlock(struct sockbuf *);
#define sbassertlocked(sb) KASSERT((sb)->sb_lock.lock.held)
int sbwait(struct sockbuf *);
void sowakeup(struct socket *, struct sockbuf *);
long sbspace(struct sockbuf *);
void sbfree(struct sockbuf *, struct mbuf *);
void sbappendstream(struct sockbuf *, struct mbuf *);
struct mbuf *sbcreatecontrol(const void *, size_t, int, int);
void solock_shared(struct socket *);
void sounlock_shared(struct socket *);
void pru_rcvd(struct socket *);

/* crypto(9): crypto.c. With KERN_TREE it is an OpenBSD tree's own: tree/. */
#ifdef KERN_TREE
#include "tree/tree.h"
#else
#include "kern-crypto.h"
#endif /* KERN_TREE */
extern long hash_blocks; /* compressed since the start; a tree's are not counted */

extern long crypto_sessions, crypto_requests; /* in use; done */
extern int crypto_fault; /* fails this many requests from now, 0 never */
extern int crypto_fault_error;
extern int crypto_busy; /* a request is being done */

/* Where a kernel has options. */
#define CRYPTO 1

/* The test's: a repeatable random number below n; wipes; shapes. */
u_int32_t rnd(u_int32_t n);
void rnd_seed(u_int64_t seed);
void rnd_bytes(void *, size_t);
void rnd_fixed(const u_char *, size_t); /* what arc4random_buf() gives first */

#endif
