/* SPDX-License-Identifier: MIT */
/* Much data over each suite: in one process that never waits but for kqueue(2), and between two that block. */
#include <sys/wait.h>

#include "system.h"

static size_t most(const struct suite *s) { return s->protocol == SO_CRYPT_SSH ? 30000 : 60000; }

static void make(unsigned char *p, size_t n, long at) {
	for (size_t i = 0; i < n; i++) p[i] = (unsigned char)((at + (long)i) * 31 + ((at + (long)i) >> 9));
}

/* Of an SSH packet the first byte is its type, 94. */
static int is_right(const struct suite *s, const unsigned char *p, size_t n, long at) {
	for (size_t i = 0; i < n; i++) {
		unsigned char want;
		make(&want, 1, at + (long)i);
		if (p[i] != want && !(s->protocol == SO_CRYPT_SSH && i == 0)) return 0;
	}
	return 1;
}

static void report(const struct suite *s, int fd, const char *how, long bytes) {
	struct so_crypt_status status;
	socklen_t n = sizeof(status);
	SAME("status", OF(getsockopt(fd, SOL_SOCKET, SO_CRYPT, &status, &n)), 0);
	say("ok - ");
	say(s->name);
	say(how);
	say_number(bytes);
	say(" bytes, ");
	say_number((long)status.read.frames);
	say(" records, ");
	say(status.read.driver);
	say("\n");
}

static void never_waiting(const struct suite *s) {
	long total = 1000000, sent = 0, got = 0;
	int c, peer, type, queue = kqueue();
	connection(&c, &peer);
	SAME("arm", arm(c, s, SO_CRYPT_WRITE), 0);
	SAME("arm", arm(peer, s, SO_CRYPT_READ), 0);
	SAME("O_NONBLOCK", OF(fcntl(c, F_SETFL, O_NONBLOCK)), 0);
	SAME("watch", watch(queue, c, EVFILT_WRITE), 0);
	SAME("watch", watch(queue, peer, EVFILT_READ), 0);
	while (got < total) {
		long r;
		while (sent < total) {
			size_t n = (size_t)(total - sent) < most(s) ? (size_t)(total - sent) : most(s);
			make(out, n, sent);
			if (s->protocol == SO_CRYPT_SSH) out[0] = 94;
			if ((r = OF(write(c, out, n))) == -EAGAIN) break;
			if (r <= 0) return SAME(s->name, r, n);
			sent += r;
		}
		while ((r = read_record(peer, in, sizeof(in), &type)) > 0) {
			if (!is_right(s, in, (size_t)r, got)) return SAME("other bytes", 1, 0);
			got += r;
		}
		if (r != -EAGAIN) return SAME(s->name, r, -EAGAIN);
		if (got < total && events(queue, 5000) <= 0) return SAME("no event", got, total);
	}
	report(s, peer, ", by kqueue: ", got);
	close(c);
	SAME("readable", readable(peer, 2000), 1);
	SAME("the end", read_record(peer, in, 10, &type), 0);
	close(peer);
	close(queue);
}

static int write_all(const struct suite *s, int fd, long total) {
	for (long sent = 0; sent < total;) {
		size_t n = 1 + (size_t)(sent * 7 + 4999) % most(s);
		if ((long)n > total - sent) n = (size_t)(total - sent);
		make(out, n, sent);
		if (s->protocol == SO_CRYPT_SSH) out[0] = 94;
		if (write(fd, out, n) != (ssize_t)n) return 1;
		sent += (long)n;
	}
	return 0;
}

static void two_processes(const struct suite *s) {
	long total = 2000000, got = 0, r;
	int c, peer, status = 0;
	connection(&c, &peer);
	SAME("arm", arm(c, s, SO_CRYPT_WRITE), 0);
	SAME("arm", arm(peer, s, SO_CRYPT_READ), 0);
	pid_t child = fork();
	if (child == 0) _exit(write_all(s, c, total));
	close(c);
	while ((r = OF(read(peer, in, s->protocol == SO_CRYPT_SSH ? sizeof(in) : 1 + (size_t)got % 50000))) > 0) {
		if (!is_right(s, in, (size_t)r, got)) return SAME("other bytes", 1, 0);
		got += r;
	}
	SAME("the end", r, 0);
	SAME(s->name, got, total);
	SAME("wait", OF(wait4(child, &status, 0, NULL)), child);
	SAME("the writer", status, 0);
	report(s, peer, ", two processes: ", got);
	close(peer);
}

void test_streams(void) {
	for (int i = 0; i < nsuites; i++) {
		never_waiting(&suites[i]);
		two_processes(&suites[i]);
	}
}
