/* SPDX-License-Identifier: MIT */
/* A pair of armed sockets: what a writes is sent to b by hand. */
#ifndef UNIT_H
#define UNIT_H
#include "host.h"
#include "suites.h"
#include "tests.h"
#include "wire.h"

#define CHECK(x) ((x) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #x))
#define SAME(a, b) \
	do { \
		long a_ = (a), b_ = (b); \
		if (a_ != b_) panic("%s:%d: %s is %ld, not %ld", __FILE__, __LINE__, #a, a_, b_); \
	} while (0)

extern struct socket a, b;
extern u_char buf[1 << 17], text[1 << 17];
/* Arm both with fresh keys, which are left in info for reading. */
void start(const struct suite *, struct so_crypt_info *);
/* Close both, and see that nothing is left. */
void end(void);
ssize_t read_now(size_t, int *type);
void deliver_all(void);

#endif
