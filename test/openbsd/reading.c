// SPDX-License-Identifier: MIT
// What read() promises.
#include "unit.h"

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
		if (cut < sizeof(two)) SAME(read_now(100, &type), sizeof(two) - cut);
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

/*
 * SSH with CBC and a MAC of the plain packet: whatever is wrong is told when a packet of the greatest length would be there, not before
 * and not after, so that nobody learns a length by forging packets.
 */
static void test_hidden_length(const struct suite *s) {
	enum { ROUNDS = 60 };
	struct so_crypt_info info;
	static u_char wire[1 << 19];
	u_int most = 4 + SO_CRYPT_SSH_MAX + (s->tag_len ? s->tag_len : s->mac_key_len);
	for (int round = 0; round < ROUNDS; round++) {
		start(s, &info);
		wire_eager = round % 3 * 40;
		SAME(sock_write(&a, "before", 6, 0, 0), 6);
		u_int before = a.out_len, packet;
		SAME(sock_write(&a, text, 1 + rnd(2000), 0, 0) > 0, 1);
		packet = a.out_len - before;
		SAME(sock_write(&a, "behind", 6, 0, 0), 6);
		rnd_bytes(wire, sizeof(wire));
		memcpy(wire, a.out, a.out_len);
		/* In the block with the length, behind it, in the MAC. */
		u_int at = round % 3 == 0 ? rnd(16) : round % 3 == 1 ? 16 + rnd(packet - 16) : packet - 1;
		wire[before + at] ^= 1 << rnd(8);
		int cut = round % 4 == 3;
		wire_set(&b, wire, cut ? before + packet + rnd(most - packet) : before + most - 1, cut);
		ssize_t n;
		do {
			n = read_now(1 + rnd(100), NULL);
			if (n > 0) CHECK(n <= 6);
		} while (n > 0 || (n == -EWOULDBLOCK && wire_deliver(&b)));
		SAME(wire_left(), 0);
		if (cut) {
			SAME(n, -EBADMSG);
		} else {
			SAME(n, -EWOULDBLOCK);
			CHECK(!sock_readable(&b));
			wire_set(&b, wire + before + most - 1, 1, 0);
			deliver_all();
			CHECK(sock_readable(&b));
			SAME(read_now(100, NULL), -EBADMSG);
		}
		SAME(read_now(100, NULL), -EBADMSG);
		end();
	}
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
	for (u_int i = 0; i < nsuites; i++)
		if (suites[i].protocol == SO_CRYPT_SSH && suites[i].flags == 0 && strcmp(suites[i].cipher, "cbc(aes)") == 0)
			test_hidden_length(&suites[i]);
	test_rekey();
	host_print("ok - reading\n");
}
