// SPDX-License-Identifier: MIT
// What setsockopt() and write() promise, one promise at a time.
#include "unit.h"

struct socket a, b;
u_char buf[1 << 17], text[1 << 17];

void start(const struct suite *s, struct so_crypt_info *info) {
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

void end(void) {
	wire_set(NULL, NULL, 0, 0);
	wire_check_shared();
	sock_free(&a);
	sock_free(&b);
	SAME(mbufs, 0);
	SAME(crypto_sessions, 0);
}

ssize_t read_now(size_t n, int *type) {
	int flags = MSG_DONTWAIT;
	return sock_read(&b, buf, n, type, &flags);
}

void deliver_all(void) {
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
		REFUSED(ENOENT, strlcpy(bad.cipher, "gcm(camellia)", sizeof(bad.cipher)));
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
