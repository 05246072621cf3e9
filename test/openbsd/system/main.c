/* SPDX-License-Identifier: MIT */
/*
 * SO_CRYPT and /dev/crypto on a running OpenBSD with the patches, by system calls alone. As root there, in this folder, with
 * kernel-patch/openbsd/sys/sys/so_crypt.h in /usr/include/sys:
 *	cc -o /tmp/system main.c rules.c wire.c streams.c device.c && /tmp/system
 * With raw.c it is a program that can be a kernel's first process, on a system that has nothing else.
 */
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/uio.h>

#include <net/if.h>

#include "system.h"

unsigned char in[1 << 17], out[1 << 17];
static int passed, failed;

void say(const char *text) {
	if (write(1, text, strlen(text)) < 0) _exit(2);
}

void say_number(long v) {
	char text[24], *p = text + sizeof(text) - 1;
	unsigned long n = v < 0 ? -(unsigned long)v : (unsigned long)v;
	*p = 0;
	do *--p = '0' + n % 10;
	while (n /= 10);
	if (v < 0) *--p = '-';
	say(p);
}

void same(const char *what, long got, long want) {
	if (got == want) {
		passed++;
		return;
	}
	failed++;
	say("FAIL ");
	say(what);
	say(": ");
	say_number(got);
	say(", not ");
	say_number(want);
	say("\n");
}

const struct suite suites[] = {
	{ "TLS 1.3 AES-128-GCM", SO_CRYPT_TLS_1_3, 0, "gcm(aes)", "", 16, 0, 12, 0 },
	{ "TLS 1.3 ChaCha20-Poly1305", SO_CRYPT_TLS_1_3, 0, "rfc7539(chacha20,poly1305)", "", 32, 0, 12, 0 },
	{ "TLS 1.3 AES-128-CCM", SO_CRYPT_TLS_1_3, 0, "ccm(aes)", "", 16, 0, 12, 0 },
	{ "TLS 1.3 AES-256-CCM-8", SO_CRYPT_TLS_1_3, 0, "ccm(aes)", "", 32, 0, 12, 8 },
	{ "TLS 1.2 AES-256-GCM", SO_CRYPT_TLS_1_2, 0, "gcm(aes)", "", 32, 0, 4, 0 },
	{ "TLS 1.2 AES-128-CBC SHA1", SO_CRYPT_TLS_1_2, 0, "cbc(aes)", "hmac(sha1)", 16, 20, 0, 0 },
	{ "TLS 1.2 AES-256-CBC SHA384 EtM", SO_CRYPT_TLS_1_2, SO_CRYPT_ETM, "cbc(aes)", "hmac(sha384)", 32, 48, 0, 0 },
	{ "TLS 1.1 3DES SHA1", SO_CRYPT_TLS_1_1, 0, "cbc(des3_ede)", "hmac(sha1)", 24, 20, 0, 0 },
	{ "TLS 1.0 AES-128-CBC SHA1", SO_CRYPT_TLS_1_0, 0, "cbc(aes)", "hmac(sha1)", 16, 20, 16, 0 },
	{ "SSH AES-128-GCM", SO_CRYPT_SSH, 0, "gcm(aes)", "", 16, 0, 12, 0 },
	{ "SSH ChaCha20-Poly1305", SO_CRYPT_SSH, 0, "chacha20-poly1305@openssh.com", "", 64, 0, 0, 0 },
	{ "SSH AES-128-CTR SHA256", SO_CRYPT_SSH, 0, "ctr(aes)", "hmac(sha256)", 16, 32, 16, 0 },
	{ "SSH AES-256-CTR SHA512 EtM", SO_CRYPT_SSH, SO_CRYPT_ETM, "ctr(aes)", "hmac(sha512)", 32, 64, 16, 0 },
	{ "SSH AES-128-CBC SHA1", SO_CRYPT_SSH, 0, "cbc(aes)", "hmac(sha1)", 16, 20, 16, 0 },
	{ "SSH AES-128-CBC SHA256 EtM", SO_CRYPT_SSH, SO_CRYPT_ETM, "cbc(aes)", "hmac(sha256)", 16, 32, 16, 0 },
};
const int nsuites = sizeof(suites) / sizeof(*suites);

void suite_info(const struct suite *s, int direction, struct so_crypt_info *info) {
	memset(info, 0, sizeof(*info));
	info->operation = SO_CRYPT_ARM;
	info->direction = direction;
	info->protocol = s->protocol;
	info->flags = s->flags;
	info->tag_len = s->tag;
	info->key_len = s->key;
	info->mac_key_len = s->mac_key;
	info->iv_len = s->iv;
	info->sequence = 5;
	memcpy(info->cipher, s->cipher, strlen(s->cipher));
	memcpy(info->mac, s->mac, strlen(s->mac));
	for (int i = 0; i < s->key; i++) info->key[i] = i * 7 + 1;
	for (int i = 0; i < s->mac_key; i++) info->mac_key[i] = i * 3 + 9;
	for (int i = 0; i < s->iv; i++) info->iv[i] = i * 13 + 2;
}

long set(int fd, const struct so_crypt_info *info) { return OF(setsockopt(fd, SOL_SOCKET, SO_CRYPT, info, sizeof(*info))); }

long arm(int fd, const struct suite *s, int direction) {
	struct so_crypt_info info;
	suite_info(s, direction, &info);
	return set(fd, &info);
}

void connection(int *client, int *server) {
	struct sockaddr_in a = { .sin_len = sizeof(a), .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	SAME("bind", OF(bind(listener, (struct sockaddr *)&a, sizeof(a))), 0);
	SAME("listen", OF(listen(listener, 1)), 0);
	getsockname(listener, (struct sockaddr *)&a, &n);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	SAME("connect", OF(connect(*client, (struct sockaddr *)&a, sizeof(a))), 0);
	*server = accept(listener, NULL, NULL);
	SAME("accept", *server >= 0, 1);
	close(listener);
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(1)];
};

long read_record(int fd, void *p, size_t n, int *type) {
	union control control;
	struct iovec iov = { p, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	long r = OF(recvmsg(fd, &m, MSG_DONTWAIT));
	*type = 0;
	if (r >= 0 && m.msg_controllen > 0 && control.header.cmsg_level == SO_CRYPT_SOL_CMSG &&
	    control.header.cmsg_type == SO_CRYPT_GET_RECORD_TYPE)
		*type = *(unsigned char *)CMSG_DATA(&control.header);
	return r;
}

long write_record(int fd, const void *p, size_t n, int type) {
	union control control;
	struct iovec iov = { (void *)p, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	memset(&control, 0, sizeof(control));
	control.header.cmsg_len = CMSG_LEN(1);
	control.header.cmsg_level = SO_CRYPT_SOL_CMSG;
	control.header.cmsg_type = SO_CRYPT_SET_RECORD_TYPE;
	*(unsigned char *)CMSG_DATA(&control.header) = type;
	return OF(sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int readable(int fd, int milliseconds) {
	struct pollfd p = { fd, POLLIN, 0 };
	return poll(&p, 1, milliseconds) == 1;
}

long watch(int queue, int fd, int filter) {
	struct kevent e;
	EV_SET(&e, fd, filter, EV_ADD | EV_CLEAR, 0, 0, NULL);
	return OF(kevent(queue, &e, 1, NULL, 0, NULL));
}

long events(int queue, int milliseconds) {
	struct kevent e[4];
	struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	return OF(kevent(queue, NULL, 0, e, 4, &t));
}

/* As a kernel's first process: nobody else gives the loopback interface its address. */
static void configure_loopback(void) {
	struct ifreq r = { .ifr_name = "lo0" };
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	a->sin_len = sizeof(*a);
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	SAME("SIOCSIFADDR", OF(ioctl(fd, SIOCSIFADDR, &r)), 0);
	close(fd);
}

int main(void) {
	int first = getpid() == 1;
	if (first) {
		for (int i = 0; i < 3; i++) open("/dev/console", O_RDWR);
		configure_loopback();
	}
	test_rules();
	test_wire();
	test_streams();
	test_device();
	say_number(passed);
	say(" checks passed, ");
	say_number(failed);
	say(" failed\n");
	if (first) reboot(RB_AUTOBOOT);
	return failed ? 1 : 0;
}
