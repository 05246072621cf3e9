// SPDX-License-Identifier: MIT
// Streams cut everywhere, and records with every padding.
#include "unit.h"

/* Every stream cut at every byte: two mbufs, then mbufs of one byte, shared and not. */
void test_boundaries(void) {
	struct so_crypt_info info;
	long shapes = 0;
	for (u_int i = 0; i < nsuites; i++) {
		for (u_int len = 1; len < 90; len += 22) {
			start(&suites[i], &info);
			sock_write(&a, text, len, 0, 0);
			sock_write(&a, text + len, 7, 0, 0);
			for (u_int piece = 1; piece <= a.out_len; piece++) {
				for (wire_kind = 1; wire_kind <= 2; wire_kind++) {
					wire_piece = piece;
					wire_set(&b, a.out, a.out_len, 1);
					deliver_all();
					SAME(read_now(len, NULL), len);
					CHECK(memcmp(buf, text, len) == 0);
					SAME(read_now(7, NULL), 7);
					CHECK(memcmp(buf, text + len, 7) == 0);
					wire_check_shared();
					sock_free(&b);
					sock_init(&b, 65536);
					SAME(sock_option(&b, &info, sizeof(info)), 0);
					shapes++;
				}
			}
			end();
		}
	}
	/* The end in the middle of a frame is an error, between frames it is the end. */
	for (u_int i = 0; i < nsuites; i++) {
		start(&suites[i], &info);
		sock_write(&a, text, 1, 0, 0);
		u_int first = a.out_len;
		sock_write(&a, text + 1, 1, 0, 0);
		for (u_int n = 0; n <= a.out_len; n++) {
			int whole = (n >= first) + (n == a.out_len);
			wire_set(&b, a.out, n, 1);
			deliver_all();
			while (wire_deliver(&b)) continue;
			for (ssize_t r; whole > 0; whole -= r) CHECK((r = read_now(7, NULL)) > 0);
			SAME(read_now(7, NULL), n == 0 || n == first || n == a.out_len ? 0 : -ECONNABORTED);
			wire_check_shared();
			sock_free(&b);
			sock_init(&b, 65536);
			SAME(sock_option(&b, &info, sizeof(info)), 0);
			shapes++;
		}
		end();
	}
	host_print("ok - %ld streams cut at every byte\n", shapes);
}

/*
 * MAC-then-encrypt: how many blocks are hashed must depend on the record's length only, whatever the padding says and whether the
 * MAC is right. (That no branch and no address depends on it is for the reader to see.)
 */
void test_constant_time(void) {
	static const u_char iv[16], key[32] = { 1 }, mac_key[48] = { 2 };
	wire_kind = 1;
	wire_piece = wire_eager = 0;
	for (u_int i = 0; i < nsuites; i++) {
		const struct suite *s = &suites[i];
		if (s->protocol != SO_CRYPT_TLS_1_2 || s->flags || strcmp(s->cipher, "cbc(aes)") != 0) continue;
		for (u_int len = 64; len <= 512; len += 16) {
			long blocks = -1;
			for (u_int pad = 0; pad < 256; pad++) {
				struct so_crypt_info info = { .operation = SO_CRYPT_ARM, .direction = SO_CRYPT_READ, .protocol = s->protocol,
					.key_len = s->key_len, .mac_key_len = s->mac_key_len };
				strlcpy(info.cipher, s->cipher, sizeof(info.cipher));
				strlcpy(info.mac, s->mac, sizeof(info.mac));
				memcpy(info.key, key, s->key_len);
				memcpy(info.mac_key, mac_key, s->mac_key_len);
				sock_init(&b, 65536);
				SAME(sock_option(&b, &info, sizeof(info)), 0);
				u_char record[5 + 16 + 512] = { 23, 3, 3, (16 + len) >> 8, 16 + len };
				memset(record + 5 + 16, pad, len);
				host_cipher(s->key_len == 16 ? "AES-128-CBC" : "AES-256-CBC", key, iv, 1, record + 5 + 16, len);
				wire_set(&b, record, 5 + 16 + len, 0);
				deliver_all();
				long before = hash_blocks;
				SAME(read_now(600, NULL), -EBADMSG);
				if (blocks < 0) blocks = hash_blocks - before;
				SAME(hash_blocks - before, blocks);
				wire_set(NULL, NULL, 0, 0);
				sock_free(&b);
			}
		}
	}
	host_print("ok - the same work for every padding\n");
}
