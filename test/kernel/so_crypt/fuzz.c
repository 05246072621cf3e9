// SPDX-License-Identifier: MIT
// fuzz SEED CALLS [company]: system calls on SO_CRYPT sockets with arguments that are nearly right, from a seeded generator. What comes back may be any
// errno; what must not happen is a crash, a hang or a line in the kernel's log. Prints how many calls succeeded.
// `company`: another process does the same to the same sockets.
#define _GNU_SOURCE
#include <arpa/inet.h>
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
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

static uint32_t state;
static int ends[2] = { -1, -1 };
static unsigned char bytes[70000];
static void *read_only;		/* a page */
static char *border;		/* memory ends there */
static char control[256];

static uint32_t next(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static int one_in(uint32_t n)
{
	return next() % n == 0;
}

static uint32_t size(void)
{
	return next() % (1u << next() % 17) % sizeof(bytes);
}

static void connect_ends(void)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(where);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	close(ends[0]);
	close(ends[1]);
	bind(listener, (void *)&where, len);
	listen(listener, 1);
	getsockname(listener, (void *)&where, &len);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect(ends[0], (void *)&where, len);
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < 2; i++) {
		fcntl(ends[i], F_SETFL, O_NONBLOCK);
		if (!one_in(10))
			attach(ends[i]);
	}
}

static const char *const ciphers[] = {
	"gcm(aes)", "ccm(aes)", "rfc7539(chacha20,poly1305)", "cbc(aes)", "cbc(des3_ede)", "ctr(aes)",
	"chacha20-poly1305@openssh.com", "cryptd(cbc(aes-generic))", "cryptd(ctr(aes-generic))", "ecb(aes)", "xts(aes)",
	"nonsense", "", "((((", "gcm(", "cbc(cbc(aes))", "authenc(hmac(sha1),cbc(aes))", "digest_null",
};
static const char *const macs[] = { "", "hmac(sha1)", "hmac(sha256)", "hmac(sha384)", "hmac(sha512)", "hmac(md5)", "sha1", "x" };
static const uint8_t protocols[] = { 1, 2, 3, 4, 5, 255, 0, 6, 254 };

/* Right as far as this knows, then spoilt a little. */
static void make_info(struct so_crypt_info *info)
{
	static const uint8_t ivs[] = { 0, 4, 8, 12, 16 }, keys[] = { 16, 24, 32, 64 }, mac_keys[] = { 0, 20, 32, 48, 64 };

	memset(info, 0, sizeof(*info));
	info->operation = one_in(4) ? SO_CRYPT_REKEY : SO_CRYPT_ARM;
	info->direction = 1 + next() % 2;
	info->protocol = protocols[next() % (one_in(10) ? 9 : 6)];
	info->flags = one_in(3);
	info->max_payload = one_in(3) ? next() % 20000 : 0;
	info->depth = one_in(3) ? next() % 70 : 0;
	strcpy(info->cipher, ciphers[next() % (one_in(4) ? 18 : 9)]);
	strcpy(info->mac, strstr(info->cipher, "cbc") || strstr(info->cipher, "ctr") ? macs[1 + next() % 4] : "");
	info->key_len = keys[next() % 4];
	if (strstr(info->cipher, "cbc") || strstr(info->cipher, "ctr"))
		info->mac_key_len = mac_keys[next() % 5];
	info->iv_len = ivs[next() % 5];
	if (one_in(3))
		info->sequence = ((uint64_t)next() << 40) + next();
	if (one_in(5))
		info->limit = next() % 5;
	for (int i = 0; i < info->key_len; i++)
		info->key[i] = next();
	for (int i = 0; i < info->mac_key_len; i++)
		info->mac_key[i] = next();
	for (int i = 0; i < info->iv_len; i++)
		info->iv[i] = next();
	if (info->protocol == SO_CRYPT_CUSTOM) {
		struct so_crypt_layout *l = &info->layout;
		int cbc = strstr(info->cipher, "cbc") != NULL, aead = !info->mac[0];

		l->header_len = 2 + next() % 31;
		l->length_size = 2 + next() % 3;
		l->length_offset = next() % l->header_len;
		l->length_bias = one_in(2) ? l->header_len : next() % 100;
		l->nonce = cbc ? 2 : next() % 2;
		l->fixed_iv = info->iv_len = cbc ? 0 : l->nonce ? 4 : 12;
		memset(info->iv + info->iv_len, 0, sizeof(info->iv) - info->iv_len);
		l->explicit_iv = cbc ? 16 : l->nonce ? 8 : 0;
		l->order = aead ? 0 : 1 + next() % 2;
		l->padding = cbc;
		l->assoc_sequence = next() % 3 * 4;
		l->assoc_end = l->header_len;
		l->assoc_start = next() % l->header_len;
		info->flags = 0;
		info->max_payload = one_in(2) ? 65536 : next() % 70000;
	}
	while (one_in(3))
		((unsigned char *)info)[next() % sizeof(*info)] = one_in(2) ? 255 : next();
}

/* Memory that is not there, not ours, or not to be written to */
static void *nowhere(void)
{
	void *const places[] = { NULL, (void *)-4096L, (void *)0xffff888000000000, (void *)0x00007fffffffefff, read_only };

	return places[next() % 5];
}

static int ask(int fd)
{
	struct so_crypt_status status;
	socklen_t len = one_in(4) ? next() % 600 : sizeof(status);

	if (one_in(20))
		len = -1;
	return getsockopt(fd, crypt_level(), SO_CRYPT, one_in(10) ? nowhere() : bytes, one_in(20) ? nowhere() : &len);
}

static int arm(int fd)
{
	struct so_crypt_info info;
	unsigned char longer[sizeof(info) + 64] = { 0 };
	socklen_t len = one_in(10) ? next() % sizeof(longer) : sizeof(info);

	make_info(&info);
	memcpy(longer, &info, sizeof(info));
	if (one_in(50))
		return setsockopt(fd, crypt_level(), SO_CRYPT, nowhere(), len);
	/* The beginning is there, the end is not. */
	if (one_in(50))
		return setsockopt(fd, crypt_level(), SO_CRYPT, memcpy(border - 64, longer, 64), len);
	return setsockopt(fd, crypt_level(), one_in(20) ? (int)next() : SO_CRYPT, longer, len);
}

static int do_send(int fd)
{
	struct iovec vec = { one_in(50) ? nowhere() : bytes, size() };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (one_in(4) ? MSG_MORE : 0);

	if (one_in(30))
		flags |= 1 << next() % 31;
	if (one_in(5)) {
		struct cmsghdr *c = (void *)control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(1);
		c->cmsg_len = one_in(20) ? next() : CMSG_LEN(1);
		c->cmsg_level = one_in(20) ? (int)next() : SO_CRYPT_SOL_CMSG;
		c->cmsg_type = one_in(20) ? next() % 4 : SO_CRYPT_SET_RECORD_TYPE;
		*CMSG_DATA(c) = one_in(10) ? next() : 20 + next() % 5;
	}
	return sendmsg(fd, &msg, flags);
}

static int do_recv(int fd)
{
	struct iovec vec = { one_in(50) ? nowhere() : bytes, size() };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = one_in(5) ? next() % 64 : 64 };
	int flags = MSG_DONTWAIT | (one_in(5) ? MSG_PEEK : 0) | (one_in(5) ? MSG_WAITALL : 0);

	if (one_in(30))
		flags |= 1 << next() % 31;
	return recvmsg(fd, &msg, flags);
}

static int do_splice(int fd)
{
	int p[2], result;

	if (pipe2(p, O_NONBLOCK))
		return -1;
	if (one_in(2)) {
		result = splice(fd, NULL, p[1], NULL, size(), SPLICE_F_NONBLOCK);
	} else {
		if (write(p[1], bytes, size() % 60000) < 0)
			errno = 0;
		result = splice(p[0], NULL, fd, NULL, size(), SPLICE_F_NONBLOCK | (one_in(2) ? SPLICE_F_MORE : 0));
	}
	close(p[0]);
	close(p[1]);
	return result;
}

static int call(int i, int file)
{
	const int fd = ends[i];
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct linger now = { 1, 0 };
	off_t at = 0;
	int value = next() % 30000, n;

	switch (next() % 32) {
	case 0 ... 4: return arm(fd);
	case 5 ... 12: return do_send(fd);
	case 13 ... 20: return do_recv(fd);
	case 21: return sendfile(fd, file, &at, size());
	case 22: return do_splice(fd);
	case 23: return ask(fd);
	case 24: return poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 0);
	case 25: return ioctl(fd, FIONREAD, &n);
	case 26: return setsockopt(fd, SOL_SOCKET, one_in(2) ? SO_SNDBUF : SO_RCVBUF, &value, sizeof(value));
	case 27: return one_in(10) ? shutdown(fd, next() % 4) : 0;
	case 28: return one_in(20) ? connect(fd, &unspecified, sizeof(unspecified)) : 0;
	case 29: return one_in(20) ? setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) : 0;
	case 30: return one_in(20) ? listen(fd, 1) : setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3);
	default:
		value = size();
		for (n = 0; n < value; n++)
			bytes[n] = one_in(4) ? next() : 23;
		/* Something that looks like a record */
		memcpy(bytes, (unsigned char[]){ 23, 3, 1 + next() % 3, next() % 3, next() }, 5);
		return send(ends[!i], bytes, value + 5, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

static int make_it_fail(char how)
{
	const int fd = open("/proc/self/make-it-fail", O_WRONLY);
	const int done = fd >= 0 && write(fd, &how, 1) == 1;

	close(fd);
	return done;
}

int main(int argc, char **argv)
{
	FILE *file = tmpfile();
	long calls = argc > 2 ? atol(argv[2]) : 1000, good = 0;
	int company = argc > 3, other = -1;

	state = argc > 1 ? atoi(argv[1]) : 1;
	signal(SIGPIPE, SIG_IGN);
	read_only = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096;
	border = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096;
	if (mprotect(read_only, 4096, PROT_READ) || munmap(border, 4096))
		return 1;
	fwrite(bytes, 1, sizeof(bytes), file);
	fflush(file);
	const int failing = getenv("SO_CRYPT_MAKE_IT_FAIL") != NULL;

	// Allocations of this process fail from now on, as debugfs says how often.
	if (failing && !make_it_fail('1'))
		return 2;
	for (long i = 0; i < calls; i++) {
		if (i % 40 == 0) {
			if (other > 0)
				waitpid(other, NULL, 0);
			connect_ends();
			other = company ? fork() : -1;
			if (!other) {
				// The same sockets at the same time from another process
				state += 12345;
				for (int j = 0; j < 40; j++)
					call(next() % 2, fileno(file));
				_exit(0);
			}
		}
		good += call(next() % 2, fileno(file)) >= 0;
	}
	// What is said shall be heard, and to stop failing may fail.
	for (int tries = 0; failing && !make_it_fail('0') && tries < 1000; tries++)
		;
	printf("%ld of %ld\n", good, calls);
	return 0;
}
