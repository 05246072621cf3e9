// SPDX-License-Identifier: MIT
// Frames for and from somebody else: one request a line, `seal` or `open`, then name=value with bytes in hex.
//   seal … data=23:6869 data=21:0100      ok <the stream>
//   open … wire=<the stream>              ok 23:6869 21:0100 [error 92]
// random= are the next random bytes (IVs), so that published records can be sealed again.
#include "host.h"
#include "suites.h"
#include "tests.h"
#include "wire.h"

static char line[1 << 20];
static u_char bytes[1 << 19], out[1 << 17];
static u_char fixed[64];
static size_t nfixed;

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static size_t unhex(const char *s, u_char *to, size_t room) {
	size_t n = 0;
	for (; digit(s[0]) >= 0; s += 2) {
		KASSERT(n < room && digit(s[1]) >= 0);
		to[n++] = digit(s[0]) << 4 | digit(s[1]);
	}
	return n;
}

static void print_hex(const u_char *p, size_t n) {
	static char text[3 << 18];
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = "0123456789abcdef"[p[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
	}
	text[2 * n] = 0;
	host_print("%s", text);
}

static u_int64_t number(const char *s) {
	u_int64_t v = 0;
	for (; *s >= '0' && *s <= '9'; s++) v = 10 * v + *s - '0';
	return v;
}

/* The value of a field, or NULL. */
static const char *is(const char *token, const char *name) {
	size_t n = strlen(name);
	return memcmp(token, name, n) == 0 && token[n] == '=' ? token + n + 1 : NULL;
}

static void take_field(const char *t, struct so_crypt_info *info) {
	const char *v;
	struct so_crypt_layout *l = &info->layout;
	if ((v = is(t, "protocol"))) info->protocol = number(v);
	if ((v = is(t, "flags"))) info->flags = number(v);
	if ((v = is(t, "tag"))) info->tag_len = number(v);
	if ((v = is(t, "seq"))) info->sequence = number(v);
	if ((v = is(t, "max"))) info->max_payload = number(v);
	if ((v = is(t, "cipher"))) strlcpy(info->cipher, v, sizeof(info->cipher));
	if ((v = is(t, "mac"))) strlcpy(info->mac, v, sizeof(info->mac));
	if ((v = is(t, "key"))) info->key_len = unhex(v, info->key, 64);
	if ((v = is(t, "mackey"))) info->mac_key_len = unhex(v, info->mac_key, 64);
	if ((v = is(t, "iv"))) info->iv_len = unhex(v, info->iv, 16);
	if ((v = is(t, "layout"))) KASSERT(unhex(v, (u_char *)l, sizeof(*l)) == sizeof(*l));
	if ((v = is(t, "random"))) nfixed = unhex(v, fixed, sizeof(fixed));
}

static void seal(struct socket *so, char **tokens, int n) {
	for (int i = 0; i < n; i++) {
		const char *v = is(tokens[i], "data");
		if (v == NULL) continue;
		int type = number(v);
		while (*v++ != ':') continue;
		size_t len = unhex(v, bytes, sizeof(bytes));
		ssize_t r = sock_write(so, bytes, len, type == 23 ? 0 : type, 0);
		if (r != (ssize_t)len) {
			host_print("error %zd\n", -r);
			return;
		}
	}
	host_print("ok ");
	print_hex(so->out, so->out_len);
	host_print("\n");
}

static void open_all(struct socket *so) {
	host_print("ok");
	for (;;) {
		int type, flags = 0;
		ssize_t r = sock_read(so, out, sizeof(out), &type, &flags);
		if (r < 0) host_print(" error %zd", -r);
		if (r <= 0) break;
		host_print(" %d:", type);
		print_hex(out, r);
	}
	host_print("\n");
}

void test_records(void) {
	wire_eager = 10;
	while (host_line(line, sizeof(line))) {
		struct so_crypt_info info = { .operation = SO_CRYPT_ARM };
		struct socket so;
		static char *tokens[4096];
		int n = 0, sealing = memcmp(line, "seal ", 5) == 0, error;
		for (char *p = line; *p; p++) {
			if (*p != ' ') continue;
			*p = 0;
			KASSERT(n < 4096);
			tokens[n++] = p + 1;
		}
		nfixed = 0;
		for (int i = 0; i < n; i++) take_field(tokens[i], &info);
		info.direction = sealing ? SO_CRYPT_WRITE : SO_CRYPT_READ;
		sock_init(&so, 16384);
		if ((error = sock_option(&so, &info, sizeof(info))) != 0) host_print("error %d\n", error);
		else if (sealing) {
			rnd_fixed(fixed, nfixed);
			seal(&so, tokens, n);
			rnd_fixed(NULL, 0);
		} else {
			size_t len = 0;
			for (int i = 0; i < n; i++)
				if (is(tokens[i], "wire")) len = unhex(is(tokens[i], "wire"), bytes, sizeof(bytes));
			wire_set(&so, bytes, len, 1);
			open_all(&so);
		}
		wire_set(NULL, NULL, 0, 0);
		wire_check_shared();
		sock_free(&so);
		if (mbufs || crypto_sessions) panic("leak");
	}
}
