/* SPDX-License-Identifier: MIT */
/* What the tests on a running kernel share. Errors are -errno. */
#ifndef SYSTEM_H
#define SYSTEM_H
#include <sys/types.h>
#include <sys/time.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/so_crypt.h>

#include <netinet/in.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SAME(what, got, want) same((what), (long)(got), (long)(want))
#define OF(result) ({ long r_ = (result); r_ < 0 ? -(long)errno : r_; })

void say(const char *);
void say_number(long);
void same(const char *what, long got, long want);

struct suite {
	const char *name;
	int protocol, flags;
	const char *cipher, *mac;
	int key, mac_key, iv, tag;
};
extern const struct suite suites[];
extern const int nsuites;

/* The option for a suite, with keys that are always the same and sequence number 5. */
void suite_info(const struct suite *, int direction, struct so_crypt_info *);
long arm(int fd, const struct suite *, int direction);
long set(int fd, const struct so_crypt_info *);
/* A connection over loopback. */
void connection(int *client, int *server);
/* The type is 0 where none was told. They do not wait. */
long read_record(int fd, void *, size_t, int *type);
long write_record(int fd, const void *, size_t, int type);
int readable(int fd, int milliseconds);
long watch(int queue, int fd, int filter);
long events(int queue, int milliseconds);

void test_rules(void);
void test_wire(void);
void test_streams(void);
void test_device(void);

extern unsigned char in[1 << 17], out[1 << 17];

#endif
