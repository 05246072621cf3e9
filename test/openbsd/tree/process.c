// SPDX-License-Identifier: MIT
// The process under kernel.c. curcpu() reads through %gs, which Linux leaves to us.
#include <asm/prctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void *fake_gs(void);
int kernel_test(int);

void *host_alloc(size_t n) { return malloc(n); }
void host_free(void *p) { free(p); }

void host_print(const char *format, ...) {
	va_list ap;
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
}

void host_die(const char *format, ...) {
	va_list ap;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

int main(int argc, char **argv) {
	syscall(SYS_arch_prctl, ARCH_SET_GS, fake_gs());
	return kernel_test(argc > 1 ? atoi(argv[1]) : 1000);
}
