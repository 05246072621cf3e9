// SPDX-License-Identifier: MIT
// soak MEGABYTES SEED: so many bytes in all through connections of every kind at once, in both directions of each, by write, writev, MSG_MORE,
// sendfile and splice, in pieces of any size, read in every way. All bytes are compared with what they should be by their place.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "pair.h"

/* The bytes of a stream: these, over and over. Twice in memory, so that any PIECE of them is in one place. */
enum { PERIOD = 1000003, PIECE = 200000, SSH_PIECE = 32768 };
static unsigned char *pattern;
static char *file_name;

struct end {
	const struct kind *kind;
	int fd;
	uint64_t total, state;
	uint64_t calls[6];
};

static void fail(const struct end *e, const char *what, uint64_t at)
{
	fprintf(stderr, "%s: %s at byte %llu: %s\n", e->kind->name, what, (unsigned long long)at, strerror(errno));
	_exit(1);
}

static uint32_t next(struct end *e)
{
	e->state = e->state * 6364136223846793005ull + 1442695040888963407ull;
	return e->state >> 33;
}

/* Small ones and large ones alike */
static size_t size_of(struct end *e, size_t most)
{
	return 1 + next(e) % (1u << next(e) % 18) % most;
}

static ssize_t by_splice(struct end *e, off_t at, size_t n, int file)
{
	loff_t from = at;
	int p[2];

	if (pipe(p))
		fail(e, "pipe", at);
	n = splice(file, &from, p[1], NULL, n < 60000 ? n : 60000, 0);
	for (size_t done = 0; done < n;) {
		const ssize_t sent = splice(p[0], NULL, e->fd, NULL, n - done, 0);

		if (sent <= 0)
			fail(e, "splice", at + done);
		done += sent;
	}
	close(p[0]);
	close(p[1]);
	return n;
}

static ssize_t send_some(struct end *e, uint64_t at, int file)
{
	const size_t place = at % PERIOD, left = e->total - at;
	const int ssh = e->kind->protocol == SO_CRYPT_SSH;
	size_t n = size_of(e, ssh ? SSH_PIECE : PIECE);
	struct iovec parts[2];
	off_t from = place;

	if (n > left)
		n = left;
	/* SSH has messages and no stream: sendfile() would make its own. */
	const int way = next(e) % (ssh ? 3 : 6);

	e->calls[way]++;
	switch (way) {
	case 0:
		parts[0] = (struct iovec){ pattern + place, n / 3 };
		parts[1] = (struct iovec){ pattern + place + n / 3, n - n / 3 };
		return writev(e->fd, parts, 2);
	case 3:
		return send(e->fd, pattern + place, n, n < left ? MSG_MORE : 0);
	case 4:
		return sendfile(e->fd, file, &from, n);
	case 5:
		return by_splice(e, place, n, file);
	default:
		return write(e->fd, pattern + place, n);
	}
}

static void *sender(void *arg)
{
	struct end *e = arg;
	const int file = open(file_name, O_RDONLY);

	for (uint64_t at = 0; at < e->total;) {
		const ssize_t n = send_some(e, at, file);

		if (n <= 0)
			fail(e, "sending", at);
		at += n;
	}
	if (shutdown(e->fd, SHUT_WR))
		fail(e, "shutdown", e->total);
	close(file);
	return NULL;
}

static ssize_t from_pipe(struct end *e, unsigned char *to, size_t n, uint64_t at)
{
	int p[2];

	if (pipe(p))
		fail(e, "pipe", at);
	const ssize_t got = splice(e->fd, NULL, p[1], NULL, n < 60000 ? n : 60000, 0);

	if (got > 0 && read(p[0], to, got) != got)
		fail(e, "reading the pipe", at);
	close(p[0]);
	close(p[1]);
	return got;
}

static ssize_t receive_some(struct end *e, unsigned char *to, uint64_t at)
{
	struct pollfd p = { e->fd, POLLIN, 0 };
	const size_t n = size_of(e, PIECE);

	switch (next(e) % 6) {
	case 0:
		return recv(e->fd, to, n, MSG_WAITALL);
	case 1:
		return from_pipe(e, to, n, at);
	case 2:
		if (recv(e->fd, to, n, MSG_PEEK) < 0)
			return -1;
		return read(e->fd, to, n);
	case 3:
		for (;;) {
			const ssize_t got = recv(e->fd, to, n, MSG_DONTWAIT);

			if (got >= 0 || errno != EAGAIN)
				return got;
			if (poll(&p, 1, 60000) <= 0)
				fail(e, "poll", at);
		}
	default:
		return read(e->fd, to, n);
	}
}

static void *receiver(void *arg)
{
	struct end *e = arg;
	unsigned char *got = malloc(PIECE);
	uint64_t at = 0;

	for (;;) {
		const ssize_t n = receive_some(e, got, at);

		if (n < 0)
			fail(e, "receiving", at);
		if (n == 0)
			break;
		if (memcmp(got, pattern + at % PERIOD, n))
			fail(e, "wrong bytes", at);
		at += n;
	}
	if (at != e->total)
		fail(e, "the end came", at);
	free(got);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct end ends[KINDS][2][2];
	static pthread_t threads[KINDS][2][2];
	uint64_t weights = 0, sum = 0, state = argc > 2 ? atoll(argv[2]) : 1;
	const uint64_t total = (argc > 1 ? atoll(argv[1]) : 100) * 1000000;
	char name[] = "/dev/shm/soak-XXXXXX";
	const int file = mkstemp(name);

	file_name = name;
	pattern = malloc(2 * PERIOD);
	for (int i = 0; i < PERIOD; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		pattern[i] = state >> 40;
		/* A message that begins with it would be SSH_MSG_NEWKEYS. */
		if (pattern[i] == 21)
			pattern[i] = 22;
	}
	memcpy(pattern + PERIOD, pattern, PERIOD);
	if (write(file, pattern, 2 * PERIOD) != 2 * PERIOD)
		return 1;
	for (int i = 0; i < KINDS; i++)
		weights += 2 * kinds[i].weight;
	for (int i = 0; i < KINDS; i++) {
		int fds[2];

		if (connect_pair(fds) || arm_pair(fds, &kinds[i], 2 * i)) {
			perror(kinds[i].name);
			return 1;
		}
		for (int direction = 0; direction < 2; direction++)
			for (int reads = 0; reads < 2; reads++) {
				struct end *e = &ends[i][direction][reads];

				e->kind = &kinds[i];
				e->fd = fds[direction ^ reads];
				e->total = total * kinds[i].weight / weights;
				e->state = state + 100 * i + 10 * direction + reads;
				pthread_create(&threads[i][direction][reads], NULL, reads ? receiver : sender, e);
			}
	}
	for (int i = 0; i < KINDS; i++) {
		for (int j = 0; j < 4; j++)
			pthread_join(threads[i][j / 2][j % 2], NULL);
		close(ends[i][0][0].fd);
		close(ends[i][1][0].fd);
		sum += 2 * ends[i][0][0].total;
	}
	printf("%llu bytes in %d connections\n", (unsigned long long)sum, KINDS);
	unlink(name);
	return 0;
}
