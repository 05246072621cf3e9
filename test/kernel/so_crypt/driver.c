// SPDX-License-Identifier: MIT
// Two ends of a TCP connection over loopback, driven line by line: `a` has SO_CRYPT, `b` is a plain socket that sees the wire. Each command
// on standard input gives one line on standard output: a number of bytes or 0 with what belongs to it, or `-ERRNO`.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

enum { MOST = 1 << 22, MANY = 16 };
static int a = -1, b = -1, child;
static unsigned char bytes[MOST];
static char line[2 * MOST + 256];

static size_t unhex(const char *text, unsigned char *out)
{
	size_t n = 0;

	while (isxdigit(text[0]) && isxdigit(text[1]) && n < MOST) {
		char pair[3] = { text[0], text[1], 0 };

		out[n++] = strtol(pair, NULL, 16);
		text += 2;
	}
	return n;
}

static void hex(const unsigned char *in, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		printf("%02x", in[i]);
}

static void answer(ssize_t result)
{
	printf("%zd", result < 0 ? -(ssize_t)errno : result);
}

static int *end(const char *name)
{
	return name[0] == 'b' ? &b : &a;
}

static void connect_ends(int family)
{
	struct sockaddr_storage where = { .ss_family = family };
	socklen_t len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int listener = socket(family, SOCK_STREAM, 0), one = 1;

	close(a);
	close(b);
	if (family == AF_INET6)
		((struct sockaddr_in6 *)&where)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&where)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (void *)&where, len);
	listen(listener, 1);
	getsockname(listener, (void *)&where, &len);
	a = socket(family, SOCK_STREAM, 0);
	answer(connect(a, (void *)&where, len));
	b = accept(listener, NULL, NULL);
	close(listener);
	setsockopt(a, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(b, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* send END TYPE FLAGS HEX; type -1: no control message */
static void do_send(const char *which, int type, int flags, const char *text)
{
	char control[CMSG_SPACE(1)] = { 0 };
	struct iovec vec = { bytes, unhex(text, bytes) };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };

	if (type >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SO_CRYPT_SOL_CMSG;
		c->cmsg_type = SO_CRYPT_SET_RECORD_TYPE;
		c->cmsg_len = CMSG_LEN(1);
		*CMSG_DATA(c) = type;
	}
	answer(sendmsg(*end(which), &msg, flags | MSG_NOSIGNAL));
}

/* sendmany END FLAGS HEX HEX…: by one sendmmsg() → how many of them went; `-` has an address that can't be read */
static void do_sendmany(const char *which, int flags, const char *text)
{
	struct mmsghdr many[MANY] = { 0 };
	struct iovec vecs[MANY];
	unsigned char *at = bytes;
	int count = 0, n;

	for (; *text > ' ' && count < MANY; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " \n");
		vecs[count].iov_base = *text == '-' ? (void *)8 : at;
		vecs[count].iov_len = *text == '-' ? 8 : unhex(text, at);
		at += vecs[count].iov_len;
		many[count].msg_hdr.msg_iov = &vecs[count];
		many[count++].msg_hdr.msg_iovlen = 1;
	}
	answer(sendmmsg(*end(which), many, count, flags | MSG_NOSIGNAL));
}

/* recvmany END COUNT LENGTH FLAGS: by one recvmmsg() → how many came, and HEX of each */
static void do_recvmany(const char *which, int count, size_t length, int flags)
{
	struct mmsghdr many[MANY] = { 0 };
	struct iovec vecs[MANY];
	unsigned char *at = bytes;

	for (int i = 0; i < count && i < MANY; i++, at += length) {
		vecs[i] = (struct iovec){ at, length };
		many[i].msg_hdr.msg_iov = &vecs[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	const int n = recvmmsg(*end(which), many, count, flags, NULL);

	answer(n);
	for (int i = 0; i < n; i++) {
		putchar(' ');
		hex(vecs[i].iov_base, many[i].msg_len);
	}
}

/* recv END LENGTH FLAGS CONTROL → N TYPE MSG_FLAGS HEX */
static void do_recv(const char *which, size_t length, int flags, int with_control)
{
	char control[64];
	struct iovec vec = { bytes, length > MOST ? MOST : length };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };
	int type = -1;

	if (with_control) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
	}
	ssize_t n = recvmsg(*end(which), &msg, flags);
	if (n >= 0)
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			if (c->cmsg_level == SO_CRYPT_SOL_CMSG && c->cmsg_type == SO_CRYPT_GET_RECORD_TYPE)
				type = *CMSG_DATA(c);
	answer(n);
	if (n >= 0) {
		printf(" %d %d ", type, msg.msg_flags);
		hex(bytes, n);
	}
}

/* drain END MS → all bytes that come until so long nothing came, or the end: N ENDED HEX */
/* until nothing comes for `patience` ms; a slow machine takes longer for the first bytes */
static void do_drain(const char *which, int patience)
{
	size_t have = 0;
	int ended = 0;

	while (have < MOST) {
		struct pollfd p = { *end(which), POLLIN, 0 };
		if (poll(&p, 1, have ? patience : 20 * patience) <= 0)
			break;
		ssize_t n = recv(*end(which), bytes + have, MOST - have, 0);
		if (n <= 0) {
			ended = n < 0 ? -errno : 1;
			break;
		}
		have += n;
	}
	printf("%zu %d ", have, ended);
	hex(bytes, have);
}

/* sendfile END COUNT HEX: a file with these bytes, COUNT asked for */
static void do_sendfile(const char *which, size_t count, const char *text)
{
	FILE *file = tmpfile();
	size_t n = unhex(text, bytes);
	off_t at = 0;
	ssize_t sum = 0;

	fwrite(bytes, 1, n, file);
	fflush(file);
	while ((size_t)sum < count) {
		ssize_t sent = sendfile(*end(which), fileno(file), &at, count - sum);
		if (sent < 0 && !sum)
			sum = sent;
		if (sent <= 0)
			break;
		sum += sent;
	}
	answer(sum);
	fclose(file);
}

/* splice END LENGTH → N HEX: from the socket into a pipe */
static void do_splice(const char *which, size_t length)
{
	int p[2];

	if (pipe(p))
		abort();
	ssize_t n = splice(*end(which), NULL, p[1], NULL, length, 0);
	answer(n);
	putchar(' ');
	if (n > 0)
		hex(bytes, read(p[0], bytes, n));
	close(p[0]);
	close(p[1]);
}

static void do_reset(const char *which)
{
	struct linger now = { 1, 0 };

	setsockopt(*end(which), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	answer(close(*end(which)));
	*end(which) = -1;
}

static void kind(const char *name)
{
	close(a);
	close(b);
	b = -1;
	if (!strcmp(name, "udp")) {
		a = socket(AF_INET, SOCK_DGRAM, 0);
	} else if (!strcmp(name, "unix")) {
		int pair[2];
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		a = pair[0];
		b = pair[1];
	} else {
		a = socket(AF_INET, SOCK_STREAM, 0);
		if (!strcmp(name, "listening"))
			listen(a, 1);
	}
	answer(0);
}

/* background sends: the line is left to a child, whose exit status `wait` gives */
static int in_child(void)
{
	fflush(stdout);
	child = fork();
	if (!child)
		freopen("/dev/null", "w", stdout);
	return !child;
}

static void command(char *text)
{
	char name[32] = "", which[32] = "";
	int rest = 0;

	sscanf(text, "%31s %n", name, &rest);
	char *args = text + rest;
	if (!strcmp(name, "background")) {
		if (in_child()) {
			command(args);
			fflush(stdout);
			_exit(0);
		}
		printf("0");
		return;
	}
	if (!strcmp(name, "wait")) {
		int status = 0;
		waitpid(child, &status, 0);
		printf("%d", status);
		return;
	}
	if (!strcmp(name, "connect")) {
		connect_ends(atoi(args) == 6 ? AF_INET6 : AF_INET);
		return;
	}
	if (!strcmp(name, "kind")) {
		sscanf(args, "%31s", which);
		kind(which);
		return;
	}
	if (!strcmp(name, "user")) {
		answer(setuid(atoi(args + 2)));
		return;
	}
	long one = 0, two = 0, three = 0;
	int n = 0;
	sscanf(args, "%31s %n", which, &n);
	args += n;
	int fd = *end(which);
	if (!strcmp(name, "ulp")) {
		answer(setsockopt(fd, SOL_TCP, TCP_ULP, SO_CRYPT_ULP, strlen(SO_CRYPT_ULP)));
	} else if (!strcmp(name, "arm")) {
		size_t length = unhex(args, bytes);
		answer(setsockopt(fd, crypt_level(), SO_CRYPT, bytes, length));
	} else if (!strcmp(name, "status")) {
		socklen_t length = *args > ' ' ? (socklen_t)atoi(args) : sizeof(struct so_crypt_status);
		answer(getsockopt(fd, crypt_level(), SO_CRYPT, bytes, &length));
		printf(" %u ", length);
		hex(bytes, length);
	} else if (!strcmp(name, "send")) {
		sscanf(args, "%ld %ld %n", &one, &two, &n);
		do_send(which, one, two, args + n);
	} else if (!strcmp(name, "sendmany")) {
		sscanf(args, "%ld %n", &one, &n);
		do_sendmany(which, one, args + n);
	} else if (!strcmp(name, "recvmany")) {
		sscanf(args, "%ld %ld %ld", &one, &two, &three);
		do_recvmany(which, one, two, three);
	} else if (!strcmp(name, "recv")) {
		sscanf(args, "%ld %ld %ld", &one, &two, &three);
		do_recv(which, one, two, three);
	} else if (!strcmp(name, "drain")) {
		do_drain(which, atoi(args));
	} else if (!strcmp(name, "sendfile")) {
		sscanf(args, "%ld %n", &one, &n);
		do_sendfile(which, one, args + n);
	} else if (!strcmp(name, "splice")) {
		do_splice(which, atoi(args));
	} else if (!strcmp(name, "poll")) {
		struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
		poll(&p, 1, 0);
		printf("%d", p.revents);
	} else if (!strcmp(name, "pollin")) {
		struct pollfd p = { fd, POLLIN, 0 };
		poll(&p, 1, atoi(args));
		printf("%d", p.revents);
	} else if (!strcmp(name, "option")) {
		sscanf(args, "%ld %ld %ld", &one, &two, &three);
		int value = three;
		answer(setsockopt(fd, one, two, &value, sizeof(value)));
	} else if (!strcmp(name, "get")) {
		sscanf(args, "%ld %ld %ld", &one, &two, &three);
		socklen_t length = three;
		memset(bytes, 0, length);
		answer(getsockopt(fd, one, two, bytes, &length));
	} else if (!strcmp(name, "nonblock")) {
		answer(fcntl(fd, F_SETFL, atoi(args) ? O_NONBLOCK : 0));
	} else if (!strcmp(name, "shutdown")) {
		answer(shutdown(fd, atoi(args)));
	} else if (!strcmp(name, "close")) {
		answer(close(fd));
		*end(which) = -1;
	} else if (!strcmp(name, "reset")) {
		do_reset(which);
	} else if (!strcmp(name, "sleep")) {
		usleep(1000 * atoi(args));
		printf("0");
	} else {
		printf("?");
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	while (fgets(line, sizeof(line), stdin)) {
		command(line);
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}
