// SPDX-License-Identifier: MIT
// wire SEED CASES: connections of every kind over a wire that does something to the bytes: flips, loses, repeats, inserts, swaps, cuts short,
// or only delivers them in odd pieces. Whatever it does, what is read has to be the beginning of what was written; all of it when nothing was
// changed; and never more.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>

#include "pair.h"

enum { MOST = 100000, ROOM = 4 * MOST };
enum change { NOTHING, FLIP, BYTE, LOSE, REPEAT, INSERT, SWAP, SHORTEN, GARBAGE, CHANGES };
static const char *const names[CHANGES] = { "nothing", "flip", "byte", "lose", "repeat", "insert", "swap", "shorten", "garbage" };

static uint64_t state;
static unsigned char written[MOST], read_back[2 * MOST], wire[ROOM];
static long ends_of[CHANGES][3];	/* clean, error, cases */

static uint32_t next(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 33;
}

static size_t some(size_t most)
{
	return most ? next() % (1u << next() % 18) % most : 0;
}

static void wrong(const struct kind *kind, enum change change, long number, const char *what, long at)
{
	fprintf(stderr, "case %ld, %s, %s: %s (%ld, %s)\n", number, kind->name, names[change], what, at, strerror(errno));
	exit(1);
}

/* Writes, with record types where there are any, until so much is written. The plain bytes are in `written`. */
static size_t write_some(int fd, const struct kind *kind, size_t length)
{
	const int is_tls = kind->protocol < SO_CRYPT_SSH;
	size_t at = 0;

	while (at < length) {
		size_t n = 1 + some(32768);
		char control[CMSG_SPACE(1)] = { 0 };

		if (n > length - at)
			n = length - at;
		struct iovec vec = { written + at, n };
		struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };

		if (is_tls && next() % 4 == 0) {
			struct cmsghdr *c = (void *)control;

			msg.msg_control = control;
			msg.msg_controllen = sizeof(control);
			*c = (struct cmsghdr){ CMSG_LEN(1), SO_CRYPT_SOL_CMSG, SO_CRYPT_SET_RECORD_TYPE };
			*CMSG_DATA(c) = 21 + next() % 4;
		}
		const ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (sent <= 0)
			return 0;
		at += sent;
	}
	return at;
}

static size_t drain(int fd, unsigned char *to, size_t room)
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, to + have, room - have)) > 0)
		have += n;
	return have;
}

/* Changes the wire's bytes; the new length. */
static size_t spoil(enum change change, size_t len)
{
	const size_t at = some(len), n = 1 + some(len - at < 2000 ? len - at : 2000);
	unsigned char piece[64];

	switch (change) {
	case FLIP:
		wire[at] ^= 1 << next() % 8;
		break;
	case BYTE:
		wire[at] += 1 + next() % 255;
		break;
	case LOSE:
		memmove(wire + at, wire + at + n, len - at - n);
		return len - n;
	case REPEAT:
		memmove(wire + at + n, wire + at, len - at);
		return len + n;
	case INSERT:
		memmove(wire + at + n, wire + at, len - at);
		for (size_t i = 0; i < n; i++)
			wire[at + i] = next();
		return len + n;
	case SWAP:
		if (len < 2 * sizeof(piece))
			return 0;
		memcpy(piece, wire, sizeof(piece));
		memcpy(wire, wire + len - sizeof(piece), sizeof(piece));
		memcpy(wire + len - sizeof(piece), piece, sizeof(piece));
		break;
	case SHORTEN:
		return at;
	case GARBAGE:
		for (size_t i = 0; i < len; i++)
			wire[i] = next() % 3 ? next() : 23;
		break;
	default:
		break;
	}
	return len;
}

/* Reads what the wire gives, in pieces that have nothing to do with records. 0 at a clean end, -errno else. */
static int read_all(int from, int to, size_t len, size_t *have)
{
	size_t at = 0;

	*have = 0;
	fcntl(to, F_SETFL, O_NONBLOCK);
	fcntl(from, F_SETFL, O_NONBLOCK);
	if (!len)
		shutdown(from, SHUT_WR);
	for (;;) {
		char control[64];
		struct iovec vec = { read_back + *have, 1 + some(sizeof(read_back) - *have - 1) };
		struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

		if (at < len) {
			size_t n = 1 + some(30000);
			const ssize_t sent = send(from, wire + at, n > len - at ? len - at : n, MSG_NOSIGNAL);

			at += sent > 0 ? sent : 0;
			if (sent < 0 && errno != EAGAIN)
				at = len;
			if (at == len)
				shutdown(from, SHUT_WR);
		}
		const ssize_t n = recvmsg(to, &msg, next() % 8 ? 0 : MSG_WAITALL);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n > 0)
			*have += n;
		else if (at == len && poll(&(struct pollfd){ to, POLLIN, 0 }, 1, 20000) != 1)
			return -ETIME;
	}
}

static void run(long number)
{
	const struct kind *const kind = &kinds[next() % KINDS];
	const enum change change = next() % CHANGES;
	const size_t length = 1 + some(MOST);
	struct so_crypt_info info;
	int left[2], right[2], status;
	size_t have;

	if (connect_pair(left) || connect_pair(right) || attach(left[0]) || attach(right[0]))
		wrong(kind, change, number, "no connection", 0);
	make_keys(&info, kind, SO_CRYPT_WRITE, number);
	if (give_crypt(left[0], &info))
		wrong(kind, change, number, "arming", 0);
	info.direction = SO_CRYPT_READ;
	if (give_crypt(right[0], &info))
		wrong(kind, change, number, "arming", 1);
	const pid_t writer = fork();

	if (!writer) {
		const size_t done = write_some(left[0], kind, length);

		shutdown(left[0], SHUT_WR);
		_exit(done != length);
	}
	close(left[0]);
	const size_t len = drain(left[1], wire, ROOM / 2);
	const size_t spoilt = change == NOTHING ? len : spoil(change, len);
	const int end = read_all(right[1], right[0], spoilt, &have);

	if (have > length || memcmp(read_back, written, have))
		wrong(kind, change, number, "bytes that were not written", have);
	if (change == NOTHING && (end || have != length))
		wrong(kind, change, number, "not all was read", end ?: (long)have);
	/* A clean end with something missing is the wire's, at a frame's end; a change is noticed. */
	if (end == 0 && have == length && change != NOTHING && change != SHORTEN && spoilt != 0)
		wrong(kind, change, number, "a change was not noticed", spoilt);
	if (end && end != -EBADMSG && end != -EMSGSIZE && end != -ECONNABORTED)
		wrong(kind, change, number, "an unknown error", end);
	ends_of[change][end != 0]++;
	ends_of[change][2]++;
	waitpid(writer, &status, 0);
	if (status)
		wrong(kind, change, number, "writing", status);
	close(left[1]);
	close(right[0]);
	close(right[1]);
}

int main(int argc, char **argv)
{
	const long cases = argc > 2 ? atol(argv[2]) : 100;

	state = argc > 1 ? atoll(argv[1]) : 1;
	for (int i = 0; i < MOST; i++)
		written[i] = 1 + next() % 20;
	for (long i = 0; i < cases; i++)
		run(i);
	for (int i = 0; i < CHANGES; i++)
		printf("%s: %ld cases, %ld clean ends, %ld errors\n", names[i], ends_of[i][2], ends_of[i][0], ends_of[i][1]);
	return 0;
}
