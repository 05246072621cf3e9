/* SPDX-License-Identifier: MIT */
/* System calls on a socket of the small kernel. Errors are negative. */
#ifndef SOCK_H
#define SOCK_H
#include "kern.h"
#include <sys/so_cryptvar.h>

void sock_init(struct socket *, u_long hiwat);
void sock_free(struct socket *);
int sosend(struct socket *, struct uio *, struct mbuf *, struct mbuf *, int);
ssize_t sock_write(struct socket *, const void *, size_t, int type, int flags);
ssize_t sock_read(struct socket *, void *, size_t, int *type, int *flags);
int sock_option(struct socket *, const void *, size_t);
int sock_status(struct socket *, struct so_crypt_status *);
int sock_readable(struct socket *);
void sock_shutdown(struct socket *);

#endif
