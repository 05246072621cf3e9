/* SPDX-License-Identifier: MIT */
/* Every framing with every cipher: what setsockopt() is given. */
#ifndef SUITES_H
#define SUITES_H
#include "sock.h"

struct suite {
	const char *name;
	int protocol, flags;
	const char *cipher, *mac;
	u_char key_len, mac_key_len, iv_len, tag_len;
	const struct so_crypt_layout *layout;
};
extern const struct suite suites[];
extern const u_int nsuites;

/* Fresh random keys for a suite, of either direction. */
void suite_info(const struct suite *, struct so_crypt_info *);

#endif
