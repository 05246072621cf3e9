/* SPDX-License-Identifier: MIT */
/* The small kernel's socket in the hands of peer.c, which has a real one. */
#ifndef LINK_H
#define LINK_H
#include <stddef.h>
#include <stdint.h>

struct link_keys {
	int protocol, etm;
	const char *cipher, *mac;
	uint8_t key[64], mac_key[64], iv[16];
	int key_len, mac_key_len, iv_len, tag_len;
	uint64_t sequence;
};

void link_open(void);
void link_close(void);
/* 0, or the errno of setsockopt(). */
int link_arm(int write, int rekey, const struct link_keys *);
/* Plain bytes; what is to go out is then in *wire until the next call. Below 0: the errno. */
long link_write(const uint8_t *, size_t, int type, const uint8_t **wire, size_t *wire_len);
/* Bytes that came in; all earlier ones have to be read. */
void link_received(const uint8_t *, size_t, int fin);
/* Plain bytes; 0: the end; below 0: the errno, -35 when there is nothing yet. */
long link_read(uint8_t *, size_t, int *type);

#endif
