// SPDX-License-Identifier: MIT
// What the system calls promise, one promise at a time.
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

static struct socket a, b;
static u_char buf[1 << 17], text[1 << 17];

static void start(const struct suite *s, struct so_crypt_info *info) {
	rnd_seed(7);
	cluster_shortage = wire_eager = wire_kind = 0;
	wire_piece = 0;
	rnd_bytes(text, sizeof(text));
	sock_init(&a, 65536);
	sock_init(&b, 65536);
	suite_info(s, info);
	info->sequence = 0;
	info->direction = SO_CRYPT_WRITE;
	SAME(sock_option(&a, info, sizeof(*info)), 0);
	info->direction = SO_CRYPT_READ;
	SAME(sock_option(&b, info, sizeof(*info)), 0);
}

static void end(void) {
	wire_set(NULL, NULL, 0, 0);
	wire_check_shared();
	sock_free(&a);
	sock_free(&b);
	SAME(mbufs, 0);
	SAME(crypto_sessions, 0);
}

static ssize_t read_now(size_t n, int *type) {
	int flags = MSG_DONTWAIT;
	return sock_read(&b, buf, n, type, &flags);
}

static void deliver_all(void) {
	while (wire_left() > 0) CHECK(wire_deliver(&b));
}

/* One option after the other is wrong. */
void test_options(void) {
	struct so_crypt_info good, bad;
	struct so_crypt_status st;
	struct socket so;
	u_char longer[sizeof(good) + 8];

#define REFUSED(errno_, change) \
	do { \
		bad = good; \
		change; \
		SAME(sock_option(&so, &bad, sizeof(bad)), errno_); \
	} while (0)

	for (u_int i = 0; i < nsuites; i++) {
		const struct suite *s = &suites[i];
		sock_init(&so, 16384);
		suite_info(s, &good);
		good.direction = SO_CRYPT_WRITE;
		REFUSED(EINVAL, bad.operation = 3);
		REFUSED(EINVAL, bad.direction = 0);
		REFUSED(EINVAL, bad.protocol = 6);
		REFUSED(EINVAL, bad.flags |= 2);
		REFUSED(EINVAL, bad.depth = 65);
		REFUSED(EINVAL, bad.key_len = 65);
		REFUSED(EINVAL, bad.key_len -= 1);
		REFUSED(EINVAL, bad.iv_len ^= 3);
		if (good.iv_len == 16) REFUSED(EINVAL, bad.iv_len = 17);
		else REFUSED(EINVAL, bad.iv[15] = 1);
		REFUSED(EINVAL, bad.reserved1[1] = 1);
		REFUSED(EINVAL, bad.reserved2[15] = 1);
		REFUSED(EINVAL, bad.tag_len = 65);
		REFUSED(EINVAL, bad.max_payload = 65537);
		REFUSED(EINVAL, memset(bad.cipher, 'x', sizeof(bad.cipher)));
		REFUSED(ENOENT, strlcpy(bad.cipher, "ccm(aes)", sizeof(bad.cipher)));
		REFUSED(EINVAL, bad.layout.reserved[3] = 1);
		if (s->mac[0]) {
			REFUSED(ENOENT, strlcpy(bad.mac, "hmac(md5)", sizeof(bad.mac)));
			REFUSED(EINVAL, (bad.mac_key_len = 0, memset(bad.mac_key, 0, 64)));
		} else {
			REFUSED(EINVAL, strlcpy(bad.mac, "hmac(sha1)", sizeof(bad.mac)));
			if (s->protocol != SO_CRYPT_CUSTOM) REFUSED(EINVAL, bad.flags = SO_CRYPT_ETM);
		}
		REFUSED(ENOTCONN, bad.operation = SO_CRYPT_REKEY);
		SAME(sock_option(&so, &good, sizeof(good) - 1), EINVAL);
		memset(longer, 0, sizeof(longer));
		memcpy(longer, &good, sizeof(good));
		longer[sizeof(longer) - 1] = 1;
		SAME(sock_option(&so, longer, sizeof(longer)), E2BIG);
		longer[sizeof(longer) - 1] = 0;

		so.so_state = 0;
		SAME(sock_option(&so, &good, sizeof(good)), ENOTCONN);
		so.so_state = SS_ISCONNECTED;
		struct sosplice splice = { NULL, &so };
		so.so_sp = &splice;
		SAME(sock_option(&so, &good, sizeof(good)), EBUSY);
		so.so_sp = NULL;
		static const struct protosw other = { 17 };
		const struct protosw *tcp = so.so_proto;
		so.so_proto = &other;
		SAME(sock_option(&so, &good, sizeof(good)), ENOPROTOOPT);
		SAME(sock_status(&so, &st), ENOPROTOOPT);
		so.so_proto = tcp;
		crypto_fault = 0;
		SAME(sock_option(&so, longer, sizeof(longer)), 0);
		SAME(sock_option(&so, &good, sizeof(good)), EEXIST);
		good.operation = SO_CRYPT_REKEY;
		SAME(sock_option(&so, &good, sizeof(good)), EEXIST);
		good.key[0] ^= 1;
		SAME(sock_option(&so, &good, sizeof(good)), 0);
		if (s->protocol == SO_CRYPT_TLS_1_3) {
			good.key[0] ^= 2;
			REFUSED(EINVAL, bad.protocol = SO_CRYPT_TLS_1_2);
		}

		SAME(sock_status(&so, &st), 0);
		SAME(st.write.state, SO_CRYPT_STATE_ARMED);
		SAME(st.write.protocol, s->protocol);
		SAME(st.write.sequence, good.sequence);
		SAME(st.write.depth, 1);
		CHECK(strcmp(st.write.cipher, s->cipher) == 0 && strcmp(st.write.mac, s->mac) == 0);
		CHECK(strcmp(st.write.driver, "cryptosoft") == 0);
		SAME(st.read.state, 0);
		sock_free(&so);
		SAME(mbufs, 0);
		SAME(crypto_sessions, 0);
	}
	host_print("ok - options, right and wrong\n");
}

void test_writing(void) {
	struct so_crypt_info info;
	struct so_crypt_status st;

	/* Full records, and what does not fit any more is a record too. */
	start(&suites[0], &info);
	SAME(sock_write(&a, text, 40000, 0, 0), 40000);
	SAME(a.out_len, 40000 + 3 * 22);
	SAME(sock_write(&a, text, 0, 0, 0), 0);
	SAME(a.out_len, 40000 + 3 * 22);
	SAME(sock_write(&a, text, 1, 0, MSG_OOB), -EOPNOTSUPP);
	SAME(sock_write(&a, text, 0, 21, 0), -EINVAL);
	SAME(sock_write(&a, text, 2, 20, 0), -EINVAL);
	SAME(sock_write(&a, text, 70000, 22, 0), -EMSGSIZE);
	SAME(sock_status(&a, &st), 0);
	SAME(st.write.frames, 3);
	SAME(st.write.sequence, 3);
	end();

	/* A page that is missing: nothing of that record is sent, the ones before are counted. */
	start(&suites[0], &info);
	struct uio uio = { text, 50000, 20000, 1, NULL };
	SAME(sosend(&a, &uio, NULL, NULL, 0), EWOULDBLOCK);
	SAME(50000 - uio.uio_resid, 16384);
	SAME(a.out_len, 16384 + 22);
	uio = (struct uio){ text, 100, 50, 1, NULL };
	SAME(sosend(&a, &uio, NULL, NULL, 0), EFAULT);
	SAME(sock_write(&a, text + 16384, 10, 0, 0), 10);
	wire_set(&b, a.out, a.out_len, 1);
	deliver_all();
	SAME(read_now(sizeof(buf), NULL), 16394);
	CHECK(memcmp(buf, text, 16394) == 0);
	end();

	/* The limit: the last frame goes out, then nothing until there are new keys. */
	for (u_int i = 0; i < nsuites; i++) {
		start(&suites[i], &info);
		sock_free(&a);
		sock_init(&a, 65536);
		info.direction = SO_CRYPT_WRITE;
		info.limit = 2;
		info.max_payload = suites[i].protocol == SO_CRYPT_CUSTOM ? 0 : 100;
		SAME(sock_option(&a, &info, sizeof(info)), 0);
		u_int frame = suites[i].protocol == SO_CRYPT_CUSTOM ? 16384 : 100;
		if (suites[i].protocol == SO_CRYPT_SSH) {
			SAME(sock_write(&a, text, 101, 0, 0), -EMSGSIZE);
			SAME(sock_write(&a, text, 100, 0, 0), 100);
			SAME(sock_write(&a, text, 100, 0, 0), 100);
		} else {
			u_int first = suites[i].protocol == SO_CRYPT_TLS_1_0 ? 1 : frame;
			SAME(sock_write(&a, text, 4 * frame, 0, 0), first + frame);
		}
		SAME(sock_write(&a, text, 1, 0, 0), -ENEEDAUTH);
		info.operation = SO_CRYPT_REKEY;
		info.key[0] ^= 1;
		SAME(sock_option(&a, &info, sizeof(info)), 0);
		SAME(sock_write(&a, text, 1, 0, 0), 1);
		end();
	}

	/* A cipher that fails: nothing of the frame goes out, and the direction is over. */
	for (u_int i = 0; i < nsuites; i++) {
		for (int fault = 1; fault <= 2; fault++) {
			start(&suites[i], &info);
			crypto_fault = fault;
			crypto_fault_error = fault == 1 ? ENOMEM : EAGAIN;
			ssize_t r = sock_write(&a, text, 1, 0, 0);
			if (crypto_fault == 0) {
				SAME(r, fault == 1 ? -ENOMEM : -EIO);
				SAME(a.out_len, 0);
				SAME(sock_write(&a, text, 1, 0, 0), -EIO);
			}
			crypto_fault = 0;
			end();
		}
	}
	host_print("ok - writing\n");
}

/* The peer's KeyUpdate and NEWKEYS, over record boundaries, too. */
static void test_rekey(void) {
	static const u_char two[] = { 4, 0, 0, 3, 1, 2, 3, 24, 0, 0, 1, 0 };
	struct so_crypt_info info, next;
	int type;
	for (u_int cut = 1; cut <= sizeof(two); cut++) {
		start(&suites[0], &info);
		next = info;
		next.operation = SO_CRYPT_REKEY;
		next.key[3] ^= 4;
		SAME(sock_write(&a, two, cut, 22, 0), cut);
		if (cut < sizeof(two)) SAME(sock_write(&a, two + cut, sizeof(two) - cut, 22, 0), sizeof(two) - cut);
		next.direction = SO_CRYPT_WRITE;
		SAME(sock_option(&a, &next, sizeof(next)), 0);
		SAME(sock_write(&a, text, 5, 0, 0), 5);
		wire_set(&b, a.out, a.out_len, 0);
		deliver_all();
		SAME(read_now(100, &type), cut);
		SAME(type, 22);
		if (cut < sizeof(two) && cut < 11) SAME(read_now(100, &type), sizeof(two) - cut);
		else if (cut < sizeof(two)) {
			/* Behind the KeyUpdate's header: the rest of the message comes under the old key in no protocol. */
			end();
			continue;
		}
		CHECK(sock_readable(&b));
		SAME(read_now(100, &type), -ENEEDAUTH);
		next.direction = SO_CRYPT_READ;
		SAME(sock_option(&b, &next, sizeof(next)), 0);
		SAME(read_now(100, &type), 5);
		CHECK(memcmp(buf, text, 5) == 0);
		end();
	}
	for (u_int i = 0; i < nsuites; i++) {
		if (suites[i].protocol != SO_CRYPT_SSH) continue;
		start(&suites[i], &info);
		/* New keys, and another cipher. */
		u_int k = suites[(i + 1) % nsuites].protocol == SO_CRYPT_SSH ? i + 1 : i - 1;
		suite_info(&suites[k], &next);
		next.operation = SO_CRYPT_REKEY;
		SAME(sock_write(&a, "\x15", 1, 0, 0), 1);
		next.direction = SO_CRYPT_WRITE;
		SAME(sock_option(&a, &next, sizeof(next)), 0);
		SAME(sock_write(&a, "after", 5, 0, 0), 5);
		wire_set(&b, a.out, a.out_len, 0);
		deliver_all();
		SAME(read_now(100, NULL), 1);
		SAME(read_now(100, NULL), -ENEEDAUTH);
		next.direction = SO_CRYPT_READ;
		SAME(sock_option(&b, &next, sizeof(next)), 0);
		SAME(read_now(100, NULL), 5);
		CHECK(memcmp(buf, "after", 5) == 0);
		end();
	}
}

/* Somebody polls while the frame is with the cipher: it must not look as if there were nothing. */
static long polls;
static void poller(void) {
	if (!crypto_busy) return;
	polls++;
	CHECK(sock_readable(&b));
}

void test_reading(void) {
	struct so_crypt_info info;
	struct so_crypt_status st;
	int type, flags;

	/* A control record between data: read(2) can't pass it, and does not lose it. */
	start(&suites[0], &info);
	sock_write(&a, "one", 3, 0, 0);
	sock_write(&a, "\1\0", 2, 21, 0);
	sock_write(&a, "two", 3, 0, 0);
	wire_set(&b, a.out, a.out_len, 0);
	deliver_all();
	SAME(read_now(100, NULL), 3);
	SAME(read_now(100, NULL), -EIO);
	SAME(read_now(100, NULL), -EIO);
	CHECK(sock_readable(&b));
	SAME(read_now(1, &type), 1);
	SAME(type, 21);
	SAME(read_now(100, &type), 1);
	SAME(type, 21);
	flags = MSG_DONTWAIT;
	SAME(sock_read(&b, buf, 2, &type, &flags), 2);
	SAME(flags, 0);
	flags = MSG_DONTWAIT;
	SAME(sock_read(&b, buf, 2, &type, &flags), 1);
	SAME(flags, MSG_EOR);
	SAME(read_now(100, &type), -EWOULDBLOCK);
	CHECK(!sock_readable(&b));
	SAME(read_now(0, &type), 0);
	end();

	start(&suites[0], &info);
	sock_write(&a, "one", 3, 0, 0);
	wire_set(&b, a.out, a.out_len, 0);
	deliver_all();
	polls = 0;
	others = poller;
	SAME(read_now(100, NULL), 3);
	others = NULL;
	CHECK(polls > 0);
	end();

	/* A pending error, and the end. */
	start(&suites[0], &info);
	sock_write(&a, "one", 3, 0, 0);
	wire_set(&b, a.out, a.out_len, 0);
	deliver_all();
	b.so_error = ECONNRESET;
	SAME(read_now(100, NULL), 3);
	flags = MSG_DONTWAIT | MSG_PEEK;
	SAME(sock_read(&b, buf, 1, NULL, &flags), -ECONNRESET);
	SAME(read_now(100, NULL), -ECONNRESET);
	SAME(read_now(100, NULL), -EWOULDBLOCK);
	b.so_state = 0;
	SAME(read_now(100, NULL), -ENOTCONN);
	b.so_state = SS_ISCONNECTED;
	wire_more(a.out, 0, 1);
	CHECK(wire_deliver(&b));
	SAME(read_now(100, NULL), 0);
	end();

	/* A page that is missing loses nothing. */
	start(&suites[0], &info);
	sock_write(&a, text, 1000, 0, 0);
	wire_set(&b, a.out, a.out_len, 1);
	deliver_all();
	struct uio uio = { buf, 1000, 500, 0, NULL };
	sblock(&b.so_rcv, SBL_WAIT);
	flags = 0;
	SAME(so_crypt_receive(&b, &uio, NULL, NULL, &flags, MSG_DONTWAIT, 0), EFAULT);
	SAME(read_now(2000, NULL), 1000);
	CHECK(memcmp(buf, text, 1000) == 0);
	end();

	/* A reader in the kernel gets mbufs. */
	start(&suites[0], &info);
	sock_write(&a, text, 20000, 0, 0);
	wire_set(&b, a.out, a.out_len, 1);
	deliver_all();
	for (u_int got = 0; got < 20000;) {
		struct mbuf *m = NULL;
		uio = (struct uio){ NULL, 7001, 0, 0, NULL };
		sblock(&b.so_rcv, SBL_WAIT);
		SAME(so_crypt_receive(&b, &uio, &m, NULL, &flags, 0, 0), 0);
		u_int n = 7001 - uio.uio_resid, len = 0;
		for (struct mbuf *q = m; q; q = q->m_next) len += q->m_len;
		SAME(len, n);
		m_copydata(m, 0, n, buf);
		CHECK(memcmp(buf, text + got, n) == 0);
		m_freem(m);
		got += n;
	}
	end();

	/* shutdown(SHUT_RD) in the middle of everything. */
	start(&suites[0], &info);
	sock_write(&a, text, 40000, 0, 0);
	wire_set(&b, a.out, a.out_len, 0);
	deliver_all();
	SAME(read_now(10, NULL), 10);
	sock_shutdown(&b);
	SAME(read_now(10, NULL), 0);
	end();

	/* The cipher fails while reading. */
	for (u_int i = 0; i < nsuites; i++) {
		start(&suites[i], &info);
		SAME(sock_write(&a, text, 100, 0, 0), 100);
		wire_set(&b, a.out, a.out_len, 0);
		deliver_all();
		crypto_fault = 1;
		crypto_fault_error = ENOMEM;
		SAME(read_now(100, &type), -ENOMEM);
		SAME(read_now(100, &type), -ENOMEM);
		SAME(sock_status(&b, &st), 0);
		SAME(st.read.error, ENOMEM);
		end();
	}
	test_rekey();
	host_print("ok - reading\n");
}

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
