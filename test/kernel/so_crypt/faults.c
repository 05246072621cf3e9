// SPDX-License-Identifier: MIT
// faults: makes every single allocation fail, one after the other, that a system call on a SO_CRYPT socket does (fail-nth, see
// Documentation/fault-injection), for connections of every kind. What a failed call took or gave back must be consistent: bytes arrive
// exactly as often as a send said it took them, or the connection says that it is broken. Root, and a kernel with FAULT_INJECTION.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "pair.h"

enum { LENGTH = 30000, MOST = 1000 };
static unsigned char bytes[LENGTH], got[4 * LENGTH];
static int nth, ends[2], file, keys;
static const struct kind *kind;
static const char *doing;

static void wrong(const char *what, long number)
{
	fprintf(stderr, "%s, %s: %s (%ld, %s)\n", kind->name, doing, what, number, strerror(errno));
	exit(1);
}

static void inject(int n)
{
	char text[16];
	const int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth, text, length, 0) != length)
		wrong("fail-nth", n);
}

/* Ends injecting; whether an allocation was made to fail. */
static int injected(void)
{
	const int error = errno;
	char text[16] = "";

	if (pread(nth, text, sizeof(text) - 1, 0) < 1)
		wrong("fail-nth", 0);
	inject(0);
	errno = error;
	return atoi(text) == 0;
}

/* What comes at an end within some time, up to `most`; -errno when that is how it ends. */
static long receive(int fd, size_t most)
{
	struct pollfd p = { fd, POLLIN, 0 };
	size_t have = 0;

	while (have < most && poll(&p, 1, 3000) > 0) {
		const ssize_t n = recv(fd, got + have, most - have, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += n;
	}
	return have;
}

/* The connection carries `n` bytes of a call before, and then more. */
static void check_alive(long n)
{
	long more = send(ends[0], bytes, 100, MSG_NOSIGNAL);

	if (more < 0)
		return;		/* broken, and says so */
	if (n < 0)
		n = 0;
	if (receive(ends[1], n + 100) != n + 100)
		wrong("bytes are missing or too many", n);
	if (memcmp(got, bytes, n) || memcmp(got + n, bytes, 100))
		wrong("wrong bytes", n);
}

/* What a read could not open for want of memory may be half decrypted: then the error stays, and nothing more is read. */
static int is_broken(long rest)
{
	return rest < 0 && receive(ends[1], LENGTH) == rest;
}

static void check_error(long result)
{
	static const int known[] = { ENOMEM, ENOBUFS, EAGAIN, EPIPE, EIO };

	if (result >= 0)
		return;
	for (unsigned int i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (errno == known[i])
			return;
	wrong("an errno that tells nothing of memory", result);
}

static void fresh(int armed)
{
	close(ends[0]);
	close(ends[1]);
	keys += 4;
	if (connect_pair(ends) || (armed && arm_pair(ends, kind, keys)))
		wrong("no connection", 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int is_ssh(void)
{
	return kind->protocol == SO_CRYPT_SSH;
}

/* Each does one thing with the n-th allocation failing, and gives whether there was an n-th. */
static int arming(int n)
{
	struct so_crypt_info info;
	int again = 0;

	fresh(0);
	inject(n);
	long result = attach(ends[0]);
	if (!result) {
		make_keys(&info, kind, SO_CRYPT_WRITE, keys);
		result = give_crypt(ends[0], &info);
	}
	const int hit = injected();

	/* The crypto API says ENOENT when it had no memory to make a cipher of templates; that there is one shows below. */
	if (!result || errno != ENOENT)
		check_error(result);
	/* Not half armed: the same is possible now. */
	if (result) {
		again = attach(ends[0]);
		if (again && errno != EEXIST)
			wrong("can't be attached any more", again);
		make_keys(&info, kind, SO_CRYPT_WRITE, keys);
		if (give_crypt(ends[0], &info))
			wrong("can't be armed any more", result);
	}
	if (attach(ends[1]))
		wrong("attaching the other end", 0);
	make_keys(&info, kind, SO_CRYPT_READ, keys);
	if (give_crypt(ends[1], &info))
		wrong("arming the other end", 0);
	check_alive(0);
	return hit;
}

static int rekeying(int n)
{
	struct so_crypt_info info;

	fresh(1);
	make_keys(&info, kind, SO_CRYPT_WRITE, keys + 2);
	info.operation = SO_CRYPT_REKEY;
	inject(n);
	const long result = give_crypt(ends[0], &info);
	const int hit = injected();

	check_error(result);
	if (!result) {
		info.direction = SO_CRYPT_READ;
		if (give_crypt(ends[1], &info))
			wrong("the other end's new keys", 0);
	}
	check_alive(0);
	return hit;
}

static int sending(int n)
{
	fresh(1);
	inject(n);
	const long result = send(ends[0], bytes, LENGTH, MSG_NOSIGNAL);
	const int hit = injected();

	check_error(result);
	check_alive(result);
	return hit;
}

static int sending_more(int n)
{
	fresh(1);
	const int part = send(ends[0], bytes, 1000, MSG_MORE);

	if (part != 1000)
		wrong("the first part", part);
	inject(n);
	const long result = send(ends[0], bytes + 1000, LENGTH - 1000, MSG_NOSIGNAL);
	const int hit = injected();

	check_error(result);
	check_alive(1000 + (result > 0 ? result : 0));
	return hit;
}

static int sending_file(int n)
{
	off_t at = 0;

	fresh(1);
	inject(n);
	const long result = sendfile(ends[0], file, &at, LENGTH);
	const int hit = injected();

	check_error(result);
	check_alive(result);
	return hit;
}

static int receiving(int n)
{
	long result;

	fresh(1);
	if (send(ends[0], bytes, LENGTH, 0) != LENGTH || poll(&(struct pollfd){ ends[1], POLLIN, 0 }, 1, 1000) != 1)
		wrong("sending", 0);
	usleep(1000);
	inject(n);
	result = recv(ends[1], got + LENGTH, LENGTH, MSG_DONTWAIT);
	const int hit = injected();

	check_error(result);
	if (result < 0)
		result = 0;
	const long rest = receive(ends[1], LENGTH - result);

	if (is_broken(rest))
		return hit;
	if (result + rest != LENGTH)
		wrong("bytes are missing", result + rest);
	if (memcmp(got + LENGTH, bytes, result) || memcmp(got, bytes + result, rest))
		wrong("wrong bytes", result);
	return hit;
}

/* A frame that the receive buffer can't hold: the kernel takes it in pieces. */
static int receiving_much(int n)
{
	int small = 1000;
	long have = 0, result = 0;

	fresh(1);
	setsockopt(ends[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (send(ends[0], bytes, LENGTH, 0) != LENGTH)
		wrong("sending", 0);
	inject(n);
	for (int i = 0; i < 20 && have < LENGTH; i++) {
		result = recv(ends[1], got + LENGTH + have, LENGTH - have, MSG_DONTWAIT);
		if (result > 0)
			have += result;
		check_error(result);
	}
	const int hit = injected();
	const long rest = receive(ends[1], LENGTH - have);

	if (is_broken(rest))
		return hit;
	if (have + rest != LENGTH)
		wrong("bytes are missing", have + rest);
	if (memcmp(got + LENGTH, bytes, have) || memcmp(got, bytes + have, rest))
		wrong("wrong bytes", have);
	return hit;
}

static int splicing(int n)
{
	int p[2];
	long result;

	fresh(1);
	if (pipe(p) || send(ends[0], bytes, LENGTH, 0) != LENGTH)
		wrong("sending", 0);
	poll(&(struct pollfd){ ends[1], POLLIN, 0 }, 1, 1000);
	inject(n);
	result = splice(ends[1], NULL, p[1], NULL, LENGTH, SPLICE_F_NONBLOCK);
	const int hit = injected();

	check_error(result);
	if (result < 0)
		result = 0;
	if (result && read(p[0], got + LENGTH, result) != result)
		wrong("the pipe", result);
	const long rest = receive(ends[1], LENGTH - result);

	close(p[0]);
	close(p[1]);
	if (is_broken(rest))
		return hit;
	if (result + rest != LENGTH || memcmp(got + LENGTH, bytes, result) || memcmp(got, bytes + result, rest))
		wrong("bytes are missing or wrong", result + rest);
	return hit;
}

static void check_shutdown_failed(void)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (recv(ends[1], got, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		wrong("an end, and bytes are missing", errno);
	if (getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &error, &length) || !error)
		wrong("bytes are missing, and nobody says so", error);
	close(ends[0]);
	ends[0] = -1;
}

static int closing(int n, int how)
{
	fresh(1);
	const long part = send(ends[0], bytes, 5000, MSG_MORE);

	inject(n);
	const long result = how ? shutdown(ends[0], SHUT_WR) : close(ends[0]);
	const int hit = injected();

	if (!how)
		ends[0] = -1;
	if (result)
		wrong("the end", result);
	const long came = receive(ends[1], LENGTH);

	/* All of it, or an error; never an end that looks clean with something missing. */
	if (came >= 0 && came != part) {
		/* shutdown() sends no end then, has put the reason where the next call finds it, and leaves the rest to close(). */
		if (how)
			check_shutdown_failed();
		if (poll(&(struct pollfd){ ends[1], POLLIN, 0 }, 1, 2000) <= 0 || recv(ends[1], got, 1, MSG_DONTWAIT) == 0)
			wrong("a clean end, and bytes are missing", came);
	}
	return hit;
}

static int shutting_down(int n)
{
	return closing(n, 1);
}

static int closing_with_more(int n)
{
	return closing(n, 0);
}

static int asking(int n)
{
	struct so_crypt_status status;
	socklen_t length = sizeof(status);

	fresh(1);
	inject(n);
	const long result = getsockopt(ends[0], crypt_level(), SO_CRYPT, &status, &length);
	const int hit = injected();

	check_error(result);
	check_alive(0);
	return hit;
}

int main(void)
{
	static const struct {
		const char *name;
		int (*run)(int);
		int streams;	/* not SSH, which has messages */
	} all[] = {
		{ "arming", arming, 0 }, { "rekeying", rekeying, 0 }, { "sending", sending, 0 },
		{ "sending more", sending_more, 0 }, { "sending a file", sending_file, 1 },
		{ "receiving", receiving, 0 }, { "receiving a frame in pieces", receiving_much, 0 },
		{ "splicing", splicing, 1 }, { "shutdown", shutting_down, 0 }, { "close", closing_with_more, 0 },
		{ "asking", asking, 0 },
	};
	char name[] = "/dev/shm/faults-XXXXXX", path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	nth = open(path, O_RDWR);
	file = mkstemp(name);
	unlink(name);
	for (int i = 0; i < LENGTH; i++)
		bytes[i] = 1 + i % 251 % 20;
	if (nth < 0 || write(file, bytes, LENGTH) != LENGTH) {
		perror(path);
		return 1;
	}
	ends[0] = ends[1] = -1;
	signal(SIGPIPE, SIG_IGN);
	for (int k = 0; k < KINDS; k++)
		for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++) {
			int n = 1;

			kind = &kinds[k];
			doing = all[i].name;
			if (all[i].streams && is_ssh())
				continue;
			while (all[i].run(n))
				if (n++ == MOST)
					wrong("never without a fault", n);
			printf("%s, %s: %d faults\n", kind->name, doing, n - 1);
			fflush(stdout);
		}
	return 0;
}
