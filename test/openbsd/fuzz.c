// SPDX-License-Identifier: MIT
// What one armed socket writes, another reads: random writes, mbufs of random shapes, random reads, everything at the worst moment.
// Nothing may be lost, changed, leaked or read too early; a frame that was tampered with is an error and nothing behind it comes out.
#include "host.h"
#include "suites.h"
#include "tests.h"
#include "wire.h"

#define MAX_DATA (1 << 19)
static u_char plain[MAX_DATA], got[1 << 17], peeked[1 << 17];
static struct {
	u_int len;
	int type;
} parts[64];
static u_int nparts;
long frames_opened;

static u_int size_of_write(const struct suite *s) {
	switch (rnd(6)) {
	case 0: return 1 + rnd(20);
	case 1: return 16384 + rnd(3) - 1;
	case 2: return s->protocol == SO_CRYPT_SSH ? 32768 - rnd(2) : 20000 + rnd(30000);
	default: return 1 + rnd(3000);
	}
}

static void write_all(const struct suite *s, struct socket *a) {
	u_int at = 0, n = 1 + rnd(rnd(8) ? 6 : 40);
	int tls = s->protocol < SO_CRYPT_SSH;
	for (nparts = 0; nparts < n; nparts++) {
		u_int len = size_of_write(s);
		int type = tls && rnd(5) == 0 ? 21 + (int)rnd(2) : 0;
		if (at + len > MAX_DATA) break;
		rnd_bytes(plain + at, len);
		/* No KeyUpdate, no NEWKEYS: those have tests of their own. */
		if (type == 22) memset(plain + at, 0, len);
		if (s->protocol == SO_CRYPT_SSH && plain[at] == SO_CRYPT_SSH_NEWKEYS) plain[at] = 94;
		if (rnd(8) == 0 && type == 0 && len < 16384) {
			/* A caller in the kernel brings mbufs. */
			struct mbuf *top = m_gethdr(M_WAIT, MT_DATA), *m = top;
			top->m_len = 0;
			for (u_int off = 0; off < len;) {
				m->m_next = m_get(M_WAIT, MT_DATA);
				m = m->m_next;
				m->m_len = ulmin(1 + rnd(MLEN), len - off);
				memcpy(m->m_data, plain + at + off, m->m_len);
				off += m->m_len;
			}
			top->m_pkthdr.len = len;
			if (sosend(a, NULL, top, NULL, 0)) panic("%s: sosend of mbufs", s->name);
		} else {
			ssize_t r = sock_write(a, plain + at, len, type, 0);
			if (r != len) panic("%s: write of %u gave %zd", s->name, len, r);
		}
		parts[nparts].len = len;
		parts[nparts].type = tls ? type ? type : 23 : 0;
		at += len;
	}
}

static int hides_failure;

/* Reads until the end or an error; returns the error. */
static int read_all(const struct suite *s, struct socket *b, u_int *total) {
	u_int part = 0, off = 0, at = 0;
	int blind = rnd(4) == 0; /* read(2): no control messages */
	for (;;) {
		int type = 0, flags = rnd(2) ? MSG_DONTWAIT : rnd(3) ? 0 : MSG_WAITALL;
		size_t n = rnd(3) ? 1 + rnd(40000) : 1 + rnd(100);
		int want_type = blind && (part == nparts || parts[part].type == 0 || parts[part].type == 23) ? 0 : 1;
		ssize_t r;
		if (rnd(8) == 0) {
			int peek = MSG_PEEK | MSG_DONTWAIT, ptype;
			ssize_t p = sock_read(b, peeked, n, &ptype, &peek);
			if (p > 0) {
				int f = MSG_DONTWAIT;
				r = sock_read(b, got, n, &type, &f);
				if (r < p || memcmp(got, peeked, p) != 0 || type != ptype) panic("%s: peeked at %zd, read %zd", s->name, p, r);
				flags = f;
				want_type = 1;
				goto have;
			}
		}
		int ready = sock_readable(b);
		int nowait = flags & MSG_DONTWAIT;
		r = sock_read(b, got, n, want_type ? &type : NULL, &flags);
		if (r == -EWOULDBLOCK) {
			if (!nowait) panic("%s: a blocking read would block", s->name);
			if (ready && !hides_failure) panic("%s: readable, and nothing to read", s->name);
			if (!wire_eager || !sock_readable(b)) {
				if (!wire_deliver(b)) {
					if (sock_readable(b)) continue;
					panic("%s: stuck with %zu bytes on the wire, window %ld", s->name, wire_left(), b->window);
				}
			}
			continue;
		}
		if (r < 0) {
			*total = at;
			return -r;
		}
	have:
		if (r == 0) {
			*total = at;
			return 0;
		}
		if (memcmp(got, plain + at, r) != 0) panic("%s: other bytes than written at %u", s->name, at);
		at += r;
		if (s->protocol == SO_CRYPT_SSH) {
			if (part >= nparts || off + r > parts[part].len) panic("%s: read over a packet's end", s->name);
			off += r;
			if (!(flags & MSG_EOR) != (off < parts[part].len)) panic("%s: MSG_EOR", s->name);
			if (off == parts[part].len) part++, off = 0;
			continue;
		}
		int first = parts[part].type;
		if (want_type && s->protocol < SO_CRYPT_SSH ? type != first : type != 0 && type != 23) panic("%s: type %d", s->name, type);
		for (ssize_t left = r; left > 0;) {
			u_int c = ulmin(left, parts[part].len - off);
			if (parts[part].type != first) panic("%s: types mixed", s->name);
			off += c, left -= c;
			if (off == parts[part].len) part++, off = 0;
		}
	}
}

static void one(const struct suite *s) {
	struct socket a, b;
	struct so_crypt_info info;
	struct so_crypt_status st;
	u_int total, all = 0;
	int error;

	cluster_shortage = rnd(4) ? 0 : rnd(101);
	wire_eager = rnd(3) ? 0 : rnd(60);
	wire_piece = rnd(6) ? 0 : 1 + rnd(300);
	wire_kind = 0;
	suite_info(s, &info);
	sock_init(&a, 1024 << rnd(8));
	sock_init(&b, 1024 << rnd(8));
	info.direction = SO_CRYPT_WRITE;
	info.max_payload = rnd(3) || s->protocol == SO_CRYPT_SSH ? 0 : 1 + rnd(16384);
	if (info.max_payload && info.max_payload < 64) info.max_payload = 64;
	if ((error = sock_option(&a, &info, sizeof(info))) != 0) panic("%s: arming: %d", s->name, error);
	info.direction = SO_CRYPT_READ;
	if (s->protocol != SO_CRYPT_CUSTOM) info.max_payload = 0;

	write_all(s, &a);
	for (u_int i = 0; i < nparts; i++) all += parts[i].len;

	int fault = rnd(4);
	/* A whole packet that is forged: SSH with CBC and a MAC of the plain packet waits before it says so. */
	hides_failure = fault == 1 && s->protocol == SO_CRYPT_SSH && s->flags == 0 && strcmp(s->cipher, "cbc(aes)") == 0;
	size_t n = a.out_len;
	if (fault == 1) a.out[rnd(n)] ^= 1 << rnd(8);
	if (fault == 2) n = rnd(n);
	wire_set(&b, a.out, n, 1);
	if (rnd(2)) wire_deliver(&b); /* before it is armed */
	if ((error = sock_option(&b, &info, sizeof(info))) != 0) panic("%s: arming: %d", s->name, error);

	error = read_all(s, &b, &total);
	if (sock_status(&b, &st) || st.read.error != (u_int)error) panic("%s: status %u", s->name, st.read.error);
	if (sock_status(&a, &st) || st.write.error) panic("%s: status", s->name);
	frames_opened += st.write.frames;
	if (fault == 1) {
		if (error != EBADMSG && error != EMSGSIZE && error != ECONNABORTED) panic("%s: tampered with: %d", s->name, error);
		int type, flags = MSG_DONTWAIT;
		if (sock_read(&b, got, 100, &type, &flags) != -error) panic("%s: the error does not stay", s->name);
	} else if (fault == 2) {
		if (error != ECONNABORTED && error != 0) panic("%s: cut: %d", s->name, error);
		if (total == all && n < a.out_len && error == 0) panic("%s: all of a cut stream", s->name);
	} else if (error || total != all) {
		panic("%s: error %d, %u of %u bytes", s->name, error, total, all);
	}
	wire_set(NULL, NULL, 0, 0);
	wire_check_shared();
	sock_free(&a);
	sock_free(&b);
	if (mbufs) panic("%s: %ld mbufs leaked", s->name, mbufs);
	if (crypto_sessions) panic("%s: %ld sessions leaked", s->name, crypto_sessions);
}

void test_fuzz(long shapes, const char *only) {
	for (long round = 0; frames_opened < shapes; round++)
		for (u_int i = 0; i < nsuites; i++) {
			if (only && strcmp(only, suites[i].name) != 0) continue;
			rnd_seed(round * 1000 + i);
			one(&suites[i]);
		}
	host_print("ok - %ld frames in mbufs of random shapes\n", frames_opened);
}
