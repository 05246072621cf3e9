/* SPDX-License-Identifier: MIT */
/*
 * The system calls that the other files make, and where they begin, without a C library: for a static amd64 program that is a kernel's
 * first process. Each call is named twice in the table of pinsyscalls(2), which so allows it from the one instruction here.
 */
#include <sys/types.h>
#include <sys/syscall.h>
#include <stdarg.h>
#include <stddef.h>

struct calls {
	unsigned offset, number;
};
#define PIN(name) { 0x1000, SYS_##name }, { 0x1000, SYS_##name }
__attribute__((section(".openbsd.syscalls"), used)) static const struct calls table[] = { PIN(fork), PIN(read), PIN(write), PIN(open),
	PIN(close), PIN(getpid), PIN(recvmsg), PIN(sendmsg), PIN(recvfrom), PIN(accept), PIN(getsockname), PIN(ioctl), PIN(reboot), PIN(kevent),
	PIN(fcntl), PIN(socket), PIN(connect), PIN(bind), PIN(setsockopt), PIN(listen), PIN(getsockopt), PIN(sysctl), PIN(poll), PIN(kqueue),
	PIN(kqueue1), PIN(wait4), PIN(exit) };
__attribute__((section(".note.openbsd.ident"), used)) static const struct {
	int name_length, length, type;
	char name[8];
	int version;
} note = { 8, 4, 1, "OpenBSD", 0 };

long raw(long, long, long, long, long, long, long);
__asm(".globl raw, _start\n"
    "raw: mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; mov %r8,%r10; mov %r9,%r8; mov 8(%rsp),%r9\n"
    "syscall; jnc 1f; neg %rax; 1: ret\n"
    "_start: and $-16,%rsp; call main; hlt\n");

static int number;
int *__errno(void) { return &number; }

static long call(long n, long a, long b, long c, long d, long e, long f) {
	long r = raw(n, a, b, c, d, e, f);
	if (r < 0 && r > -4096) {
		number = (int)-r;
		return -1;
	}
	return r;
}

typedef long L;
pid_t fork(void) { return (pid_t)call(SYS_fork, 0, 0, 0, 0, 0, 0); }
pid_t getpid(void) { return (pid_t)call(SYS_getpid, 0, 0, 0, 0, 0, 0); }
void _exit(int status) { for (;;) call(SYS_exit, status, 0, 0, 0, 0, 0); }
ssize_t read(int fd, void *p, size_t n) { return call(SYS_read, fd, (L)p, (L)n, 0, 0, 0); }
ssize_t write(int fd, const void *p, size_t n) { return call(SYS_write, fd, (L)p, (L)n, 0, 0, 0); }
int close(int fd) { return (int)call(SYS_close, fd, 0, 0, 0, 0, 0); }
int open(const char *path, int flags, ...) { return (int)call(SYS_open, (L)path, flags, 0, 0, 0, 0); }
ssize_t recvmsg(int fd, void *m, int flags) { return call(SYS_recvmsg, fd, (L)m, flags, 0, 0, 0); }
ssize_t sendmsg(int fd, const void *m, int flags) { return call(SYS_sendmsg, fd, (L)m, flags, 0, 0, 0); }
ssize_t recv(int fd, void *p, size_t n, int flags) { return call(SYS_recvfrom, fd, (L)p, (L)n, flags, 0, 0); }
int accept(int fd, void *a, void *n) { return (int)call(SYS_accept, fd, (L)a, (L)n, 0, 0, 0); }
int getsockname(int fd, void *a, void *n) { return (int)call(SYS_getsockname, fd, (L)a, (L)n, 0, 0, 0); }
int reboot(int how) { return (int)call(SYS_reboot, how, 0, 0, 0, 0, 0); }
int kqueue(void) { return (int)call(SYS_kqueue, 0, 0, 0, 0, 0, 0); }
int kqueue1(int flags) { return (int)call(SYS_kqueue1, flags, 0, 0, 0, 0, 0); }
int kevent(int q, const void *c, int nc, void *e, int ne, const void *t) { return (int)call(SYS_kevent, q, (L)c, nc, (L)e, ne, (L)t); }
int poll(void *p, unsigned n, int ms) { return (int)call(SYS_poll, (L)p, n, ms, 0, 0, 0); }
int socket(int f, int t, int p) { return (int)call(SYS_socket, f, t, p, 0, 0, 0); }
int connect(int fd, const void *a, unsigned n) { return (int)call(SYS_connect, fd, (L)a, n, 0, 0, 0); }
int bind(int fd, const void *a, unsigned n) { return (int)call(SYS_bind, fd, (L)a, n, 0, 0, 0); }
int listen(int fd, int n) { return (int)call(SYS_listen, fd, n, 0, 0, 0, 0); }
int setsockopt(int fd, int l, int o, const void *p, unsigned n) { return (int)call(SYS_setsockopt, fd, l, o, (L)p, n, 0); }
int getsockopt(int fd, int l, int o, void *p, void *n) { return (int)call(SYS_getsockopt, fd, l, o, (L)p, (L)n, 0); }
int sysctl(const int *m, unsigned n, void *o, void *ol, void *p, size_t pl) { return (int)call(SYS_sysctl, (L)m, n, (L)o, (L)ol, (L)p, (L)pl); }
pid_t wait4(pid_t p, int *s, int o, void *r) { return (pid_t)call(SYS_wait4, p, (L)s, o, (L)r, 0, 0); }

static long third(va_list ap) {
	long value = va_arg(ap, long);
	va_end(ap);
	return value;
}
int fcntl(int fd, int what, ...) {
	va_list ap;
	va_start(ap, what);
	return (int)call(SYS_fcntl, fd, what, third(ap), 0, 0, 0);
}
int ioctl(int fd, unsigned long what, ...) {
	va_list ap;
	va_start(ap, what);
	return (int)call(SYS_ioctl, fd, (L)what, third(ap), 0, 0, 0);
}

void *memcpy(void *to, const void *from, size_t n) {
	char *t = to;
	const char *f = from;
	while (n--) *t++ = *f++;
	return to;
}
void *memset(void *to, int c, size_t n) {
	char *t = to;
	while (n--) *t++ = (char)c;
	return to;
}
int memcmp(const void *a, const void *b, size_t n) {
	const unsigned char *x = a, *y = b;
	for (; n--; x++, y++)
		if (*x != *y) return *x - *y;
	return 0;
}
size_t strlen(const char *s) {
	size_t n = 0;
	while (s[n]) n++;
	return n;
}
