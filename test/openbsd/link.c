// SPDX-License-Identifier: MIT
#include "link.h"

#include "sock.h"
#include "wire.h"

static struct socket so;
static u_char arrived[1 << 18];

void link_open(void) {
	sock_init(&so, 16384);
	wire_eager = 20;
	wire_set(&so, arrived, 0, 0);
}

void link_close(void) {
	wire_set(NULL, NULL, 0, 0);
	wire_check_shared();
	sock_free(&so);
	if (mbufs || crypto_sessions) panic("leak: %ld mbufs, %ld sessions", mbufs, crypto_sessions);
}

int link_arm(int write, int rekey, const struct link_keys *k) {
	struct so_crypt_info info = { .operation = rekey ? SO_CRYPT_REKEY : SO_CRYPT_ARM };
	info.direction = write ? SO_CRYPT_WRITE : SO_CRYPT_READ;
	info.protocol = k->protocol;
	info.flags = k->etm ? SO_CRYPT_ETM : 0;
	strlcpy(info.cipher, k->cipher, sizeof(info.cipher));
	strlcpy(info.mac, k->mac, sizeof(info.mac));
	memcpy(info.key, k->key, info.key_len = k->key_len);
	memcpy(info.mac_key, k->mac_key, info.mac_key_len = k->mac_key_len);
	memcpy(info.iv, k->iv, info.iv_len = k->iv_len);
	info.tag_len = k->tag_len;
	info.sequence = k->sequence;
	return sock_option(&so, &info, sizeof(info));
}

long link_write(const uint8_t *p, size_t n, int type, const uint8_t **wire, size_t *wire_len) {
	so.out_len = 0;
	long r = sock_write(&so, p, n, type, 0);
	*wire = so.out;
	*wire_len = so.out_len;
	return r;
}

void link_received(const uint8_t *p, size_t n, int fin) {
	/* Shared clusters are compared with these bytes. */
	wire_check_shared();
	KASSERT(n <= sizeof(arrived));
	memcpy(arrived, p, n);
	wire_more(arrived, n, fin);
	while (wire_deliver(&so)) continue;
}

long link_read(uint8_t *p, size_t n, int *type) {
	for (;;) {
		int flags = MSG_DONTWAIT;
		long r = sock_read(&so, p, n, type, &flags);
		/* The rest may have arrived behind the read's back: poll, as a program would. */
		if (r == -EWOULDBLOCK && wire_left() > 0 && !wire_deliver(&so) && !sock_readable(&so))
			panic("%zu bytes wait for a window of %ld", wire_left(), so.window);
		if (r != -EWOULDBLOCK || (wire_left() == 0 && !sock_readable(&so))) return r;
	}
}
