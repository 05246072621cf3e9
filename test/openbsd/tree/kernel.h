/* SPDX-License-Identifier: MIT */
/* With a tree's own headers: what kernel.c offers to connections.c. */
#ifndef TREE_KERNEL_H
#define TREE_KERNEL_H
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/malloc.h>
#include <sys/pool.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/rwlock.h>
#include <sys/refcnt.h>
#include <sys/task.h>
#include <sys/timeout.h>
#include <sys/event.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/domain.h>
#include <sys/protosw.h>
#include <sys/sigio.h>
#include <sys/uio.h>
#include <sys/percpu.h>
#include <sys/so_crypt.h>
#include <sys/so_cryptvar.h>
#include <netinet/in.h>
#include <crypto/cryptodev.h>

void *host_alloc(size_t);
void host_free(void *);
void host_print(const char *, ...);
void host_die(const char *, ...);
#define CHECK(x) ((x) ? (void)0 : host_die("%s:%d: %s", __FILE__, __LINE__, #x))

extern struct proc one_process;
extern struct file other_file; /* what getsock() finds */
extern void (*network)(void);  /* runs where others could */
extern long live;	       /* allocations */
u_int rnd(u_int);
void run_tasks(void);

#endif
