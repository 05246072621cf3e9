/* SPDX-License-Identifier: MIT */
/* The network towards one receiving socket: bytes that wait for the window, in mbufs of any shape. */
#ifndef WIRE_H
#define WIRE_H
#include "kern.h"

/* The bytes that are to arrive; they are not copied. fin: and then the peer's FIN. */
void wire_set(struct socket *, const u_char *, size_t, int fin);
void wire_more(const u_char *, size_t, int fin);
/* Deliver the next piece. 0: there is nothing, or no window for it. */
int wire_deliver(struct socket *);
size_t wire_left(void);
/* Pieces also arrive while the kernel is at work; per cent of the chances. 0: only when asked. */
extern int wire_eager;
/* 0: all kinds of mbufs; else exactly this many bytes in each, in clusters shared with somebody (2) or not (1). */
extern u_int wire_piece;
extern int wire_kind;
/* Panics if a byte of a shared cluster was changed; forgets them. */
void wire_check_shared(void);

#endif
