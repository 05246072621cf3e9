/* SPDX-License-Identifier: MIT */
/* What setsockopt(2), recvmsg(2) and kqueue(2) promise, and what native/kernel/ builds on. */
#include "system.h"

static void test_option(const struct suite *s) {
	struct so_crypt_info info;
	struct so_crypt_status status;
	socklen_t n = sizeof(status);
	int c, peer, other, udp = socket(AF_INET, SOCK_DGRAM, 0), alone = socket(AF_INET, SOCK_STREAM, 0);
	SAME("UDP", arm(udp, s, SO_CRYPT_WRITE), -ENOPROTOOPT);
	SAME("not connected", arm(alone, s, SO_CRYPT_WRITE), -ENOTCONN);
	connection(&c, &peer);
	suite_info(s, SO_CRYPT_WRITE, &info);
	info.reserved2[3] = 1;
	SAME("a reserved byte", set(c, &info), -EINVAL);
	SAME("arm", arm(c, s, SO_CRYPT_WRITE), 0);
	SAME("arm again", arm(c, s, SO_CRYPT_WRITE), -EEXIST);
	SAME("status", OF(getsockopt(c, SOL_SOCKET, SO_CRYPT, &status, &n)), 0);
	SAME("state", status.write.state, SO_CRYPT_STATE_ARMED);
	SAME("the other state", status.read.state, 0);
	SAME("sequence", status.write.sequence, 5);
	SAME("arm to read", arm(c, s, SO_CRYPT_READ), 0);
	connection(&other, &alone);
	SAME("splice", OF(setsockopt(c, SOL_SOCKET, SO_SPLICE, &other, sizeof(other))) < 0, 1);
	int fds[] = { c, peer, other, alone, udp };
	for (int i = 0; i < 5; i++) close(fds[i]);
}

/* Control records between data, KeyUpdate. */
static void test_records(const struct suite *s) {
	struct so_crypt_info next;
	int c, peer, type;
	connection(&c, &peer);
	SAME("arm", arm(c, s, SO_CRYPT_WRITE), 0);
	SAME("arm", arm(peer, s, SO_CRYPT_READ), 0);
	SAME("an alert", write_record(c, "\1\0", 2, 21), 2);
	SAME("data", OF(write(c, "x", 1)), 1);
	SAME("readable", readable(peer, 2000), 1);
	SAME("read(2) does not pass the alert", OF(read(peer, in, 10)), -EIO);
	SAME("peek", OF(recv(peer, in, 10, MSG_PEEK)), -EIO);
	SAME("the alert", read_record(peer, in, 100, &type), 2);
	SAME("its type", type, 21);
	SAME("the data", read_record(peer, in, 100, &type), 1);
	SAME("its type", type, 23);

	SAME("KeyUpdate", write_record(c, "\30\0\0\1\0", 5, 22), 5);
	suite_info(s, SO_CRYPT_WRITE, &next);
	next.operation = SO_CRYPT_REKEY;
	SAME("the same key", set(c, &next), -EEXIST);
	next.key[0] ^= 1;
	next.sequence = 0;
	SAME("new keys", set(c, &next), 0);
	SAME("data", OF(write(c, "new", 3)), 3);
	SAME("readable", readable(peer, 2000), 1);
	SAME("KeyUpdate", read_record(peer, in, 100, &type), 5);
	SAME("its type", type, 22);
	SAME("behind it", read_record(peer, in, 100, &type), -ENEEDAUTH);
	next.direction = SO_CRYPT_READ;
	SAME("new keys", set(peer, &next), 0);
	SAME("readable", readable(peer, 2000), 1);
	SAME("data", read_record(peer, in, 100, &type), 3);
	close(c);
	SAME("readable", readable(peer, 2000), 1);
	SAME("the end", read_record(peer, in, 100, &type), 0);
	SAME("no type", type, 0);
	close(peer);
}

/* native/kernel/readiness_kqueue.cc, and libuv's watch of it. */
static void test_kqueue(const struct suite *s) {
	int c, peer, type, queue = kqueue1(O_CLOEXEC | O_NONBLOCK), outer = kqueue();
	struct kevent e;
	connection(&c, &peer);
	SAME("arm", arm(c, s, SO_CRYPT_WRITE), 0);
	SAME("arm", arm(peer, s, SO_CRYPT_READ), 0);
	SAME("non-blocking", (OF(fcntl(queue, F_GETFL)) & O_NONBLOCK) != 0, 1);
	SAME("F_SETFL", OF(fcntl(queue, F_SETFL, O_NONBLOCK)), -ENOTTY);
	SAME("watch", watch(queue, peer, EVFILT_READ), 0);
	SAME("nothing", events(queue, 50), 0);
	SAME("write", OF(write(c, "a", 1)), 1);
	SAME("an edge", events(queue, 2000), 1);
	SAME("no more", events(queue, 50), 0);
	SAME("watch again", watch(queue, peer, EVFILT_READ), 0);
	SAME("told anew", events(queue, 50), 1);
	EV_SET(&e, queue, EVFILT_READ, EV_ADD, 0, 0, NULL);
	SAME("a queue in a queue", OF(kevent(outer, &e, 1, NULL, 0, NULL)), 0);
	SAME("quiet", events(outer, 50), 0);
	SAME("write", OF(write(c, "b", 1)), 1);
	SAME("outer", events(outer, 2000), 1);
	SAME("outer, by level", events(outer, 50), 1);
	SAME("inner", events(queue, 50), 1);
	SAME("outer, quiet", events(outer, 50), 0);
	SAME("both records in one read", read_record(peer, in, 100, &type), 2);
	SAME("nothing", read_record(peer, in, 100, &type), -EAGAIN);
	int fds[] = { c, peer, queue, outer };
	for (int i = 0; i < 4; i++) close(fds[i]);
}

void test_rules(void) {
	test_option(&suites[0]);
	test_records(&suites[0]);
	test_kqueue(&suites[0]);
	say("ok - the option, control records, KeyUpdate, kqueue\n");
}
