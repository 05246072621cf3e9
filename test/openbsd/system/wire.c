/* SPDX-License-Identifier: MIT */
/* The bytes on the wire: what OpenSSL makes of the same keys and text. */
#include "system.h"

static const char text[] = "SO_CRYPT on a booted OpenBSD kernel";
static const unsigned char wire_gcm[] = {
	23, 3, 3, 0, 52, 180, 164, 217, 201, 98, 179, 2, 231, 120, 115, 151, 186, 88, 1, 248, 16, 86, 145, 38, 237, 9, 28, 229,
	151, 34, 238, 196, 119, 199, 7, 163, 202, 68, 41, 108, 202, 54, 129, 72, 239, 173, 134, 78, 225, 16, 121, 197, 80, 31,
	105, 124, 132
};
static const unsigned char wire_ccm[] = {
	23, 3, 3, 0, 52, 202, 191, 15, 13, 216, 126, 145, 127, 80, 149, 242, 28, 117, 77, 211, 86, 99, 86, 72, 43, 174, 103,
	149, 189, 232, 61, 223, 56, 81, 75, 107, 81, 205, 156, 19, 101, 79, 228, 173, 13, 235, 25, 118, 71, 169, 219, 69, 84,
	120, 60, 104, 251
};
static const unsigned char wire_ccm8[] = {
	23, 3, 3, 0, 44, 111, 10, 196, 101, 155, 67, 224, 48, 90, 88, 186, 95, 141, 160, 53, 11, 233, 22, 17, 160, 78, 252, 230,
	2, 251, 162, 148, 19, 151, 240, 91, 204, 89, 156, 90, 124, 145, 155, 84, 4, 251, 98, 162, 188
};
static const unsigned char wire_chacha[] = {
	23, 3, 3, 0, 52, 218, 88, 52, 86, 125, 211, 49, 141, 123, 203, 174, 62, 101, 171, 96, 200, 203, 190, 94, 164, 245, 91,
	86, 106, 223, 201, 181, 96, 145, 116, 219, 196, 36, 141, 199, 190, 213, 129, 174, 60, 97, 16, 228, 189, 201, 148, 170,
	30, 123, 31, 31, 34
};

static void both_ways(const struct suite *s, const unsigned char *wire, size_t n) {
	int c[4], peer[4], type;
	size_t length = sizeof(text) - 1;
	for (int i = 0; i < 4; i++) {
		connection(&c[i], &peer[i]);
		SAME("arm", i == 0 ? arm(c[i], s, SO_CRYPT_WRITE) : arm(peer[i], s, SO_CRYPT_READ), 0);
	}
	SAME("write", OF(write(c[0], text, length)), length);
	SAME("readable", readable(peer[0], 2000), 1);
	SAME("length", OF(read(peer[0], in, sizeof(in))), n);
	SAME(s->name, memcmp(in, wire, n), 0);

	SAME("raw", OF(write(c[1], wire, n)), n);
	SAME("readable", readable(peer[1], 2000), 1);
	SAME("length", read_record(peer[1], in, sizeof(in), &type), length);
	SAME(s->name, memcmp(in, text, length), 0);

	memcpy(out, wire, n);
	out[n - 3] ^= 1;
	SAME("raw", OF(write(c[2], out, n)), n);
	SAME("readable", readable(peer[2], 2000), 1);
	SAME("forged", read_record(peer[2], in, sizeof(in), &type), -EBADMSG);
	SAME("for good", read_record(peer[2], in, sizeof(in), &type), -EBADMSG);

	SAME("raw", OF(write(c[3], wire, n - 1)), n - 1);
	SAME("not whole", readable(peer[3], 100), 0);
	SAME("not whole", read_record(peer[3], in, sizeof(in), &type), -EAGAIN);
	close(c[3]);
	SAME("readable", readable(peer[3], 2000), 1);
	SAME("cut", read_record(peer[3], in, sizeof(in), &type), -ECONNABORTED);
	for (int i = 0; i < 4; i++) {
		if (i < 3) close(c[i]);
		close(peer[i]);
	}
}

void test_wire(void) {
	both_ways(&suites[0], wire_gcm, sizeof(wire_gcm));
	both_ways(&suites[1], wire_chacha, sizeof(wire_chacha));
	both_ways(&suites[2], wire_ccm, sizeof(wire_ccm));
	both_ways(&suites[3], wire_ccm8, sizeof(wire_ccm8));
	say("ok - records are OpenSSL's, both ways; forged and cut ones are refused\n");
}
