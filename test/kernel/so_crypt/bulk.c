// SPDX-License-Identifier: MIT
// bulk CIPHER MAC PROTOCOL KEYLEN SIZE DEPTH MEGABYTES [read]: writes so much in pieces of SIZE into a socket that SO_CRYPT armed; another
// process reads the wire, or with `read` the plain bytes by SO_CRYPT, and compares them. Prints MB/s of plain bytes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

static unsigned char piece[1 << 17], got[1 << 17];

static void arm(int fd, char **argv, int direction)
{
	struct so_crypt_info info = { .operation = SO_CRYPT_ARM, .direction = direction };

	strncpy(info.cipher, argv[1], SO_CRYPT_NAME_LEN - 1);
	strncpy(info.mac, argv[2], SO_CRYPT_NAME_LEN - 1);
	info.protocol = atoi(argv[3]);
	info.key_len = atoi(argv[4]);
	info.depth = atoi(argv[6]);
	memset(info.key, 7, info.key_len);
	if (info.mac[0]) {
		info.mac_key_len = strstr(info.mac, "256") ? 32 : 20;
		memset(info.mac_key, 8, info.mac_key_len);
	}
	info.iv_len = info.mac[0] ? (info.protocol == SO_CRYPT_TLS_1_0 || info.protocol == SO_CRYPT_SSH ? 16 : 0) : 12;
	if (strstr(info.cipher, "openssh"))
		info.iv_len = 0;
	memset(info.iv, 9, info.iv_len);
	if (attach(fd) || give_crypt(fd, &info)) {
		perror(argv[1]);
		exit(1);
	}
}

static void receive(int fd, char **argv, long total)
{
	const int size = atoi(argv[5]);
	long at = 0;
	ssize_t n;

	if (argv[8])
		arm(fd, argv, SO_CRYPT_READ);
	while ((n = read(fd, got, sizeof(got))) > 0) {
		for (ssize_t i = 0; argv[8] && i < n; i += 97)
			if (got[i] != piece[(at + i) % size]) {
				fprintf(stderr, "byte %ld is wrong\n", at + i);
				exit(1);
			}
		at += n;
	}
	if (n < 0)
		perror("read");
	exit(n < 0 || (argv[8] && at != total) || at < total);
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(where);
	struct timespec from, to;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd, status;

	if (argc < 8)
		return 2;
	const int size = atoi(argv[5]);
	const long total = atol(argv[7]) * 1000000 / size * size;

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = i * 7 + (i >> 8);
	if (bind(listener, (void *)&where, len) || listen(listener, 1) || getsockname(listener, (void *)&where, &len))
		return 1;
	if (!fork())
		receive(accept(listener, NULL, NULL), argv, total);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (void *)&where, len))
		return 1;
	arm(fd, argv, SO_CRYPT_WRITE);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long at = 0; at < total; at += size)
		if (write(fd, piece, size) != size) {
			perror("write");
			return 1;
		}
	shutdown(fd, SHUT_WR);
	wait(&status);
	clock_gettime(CLOCK_MONOTONIC, &to);
	double seconds = to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9;
	printf("%s %s, %d bytes, depth %s: %.1f MB/s\n", argv[1], argv[2], size, argv[6], total / 1e6 / seconds);
	return status != 0;
}
