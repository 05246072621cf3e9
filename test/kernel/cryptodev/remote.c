// SPDX-License-Identifier: MIT
// Does system calls for a test: reads one command a line from standard input and answers each with one line. Memory that the kernel is
// to see is an arena, shared with children and below 4 GB, so that the same structures can be handed over as a 32-bit program would.
//
//   arena                            ADDRESS SIZE; behind it is nothing
//   abi NAME                         NUMBER SIZE of an ioctl of the public header
//   put OFFSET HEX | get OFFSET LENGTH
//   protect OFFSET LENGTH            makes pages of the arena read-only
//   open | dup FD | close FD         FD
//   ioctl FD NUMBER ADDRESS          what the system call returned, or -errno; ioctl32 is that of a 32-bit program
//   fork FD NUMBER ADDRESS           ioctl by a child
//   threads N ROUNDS STRIDE FD NUMBER ADDRESS   N threads at once, thread i at ADDRESS + i * STRIDE; the first that fails
//   user ID                          becomes another user
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/cryptodev.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARENA (16 << 20)

static uint8_t *arena;

static long native(int fd, unsigned long number, unsigned long address)
{
	return ioctl(fd, number, address) < 0 ? -errno : 0;
}

static long of32(int fd, unsigned long number, unsigned long address)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(54), "b"(fd), "c"(number), "d"(address)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static long by_child(int fd, unsigned long number, unsigned long address)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(-native(fd, number, address));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	int fd;
	unsigned long number, address;
	long rounds, result;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(worker->start);
	for (long i = 0; i < worker->rounds && worker->result == 0; i++)
		worker->result = native(worker->fd, worker->number, worker->address);
	return NULL;
}

static long threads(char *arguments)
{
	static struct worker workers[64];
	pthread_barrier_t start;
	unsigned long number, address, stride;
	unsigned int n;
	long rounds, result = 0;
	int fd;

	if (sscanf(arguments, "%u %ld %lu %d %lu %lu", &n, &rounds, &stride, &fd, &number, &address) != 6 || n > 64)
		return -E2BIG;
	pthread_barrier_init(&start, NULL, n);
	for (unsigned int i = 0; i < n; i++) {
		workers[i] = (struct worker){ .start = &start, .fd = fd, .number = number,
					      .address = address + i * stride, .rounds = rounds };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			abort();
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		if (result == 0)
			result = workers[i].result;
	}
	return result;
}

static unsigned int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void put(char *arguments)
{
	char *hex;
	uint8_t *at = arena + strtoul(arguments, &hex, 10);

	for (hex++; hex[0] && hex[1]; hex += 2)
		*at++ = digit(hex[0]) << 4 | digit(hex[1]);
}

static void get(char *arguments)
{
	static char hex[2 * ARENA + 1];
	unsigned long offset = 0, length = 0;
	char *at = hex;

	sscanf(arguments, "%lu %lu", &offset, &length);
	for (unsigned long i = 0; i < length; i++) {
		*at++ = "0123456789abcdef"[arena[offset + i] >> 4];
		*at++ = "0123456789abcdef"[arena[offset + i] & 15];
	}
	*at++ = '\n';
	fwrite(hex, 1, at - hex, stdout);
}

static void abi(const char *name)
{
	static const struct {
		const char *name;
		unsigned long number;
	} ioctls[] = {
		{ "CRIOGET", CRIOGET }, { "CIOCGSESSION", CIOCGSESSION }, { "CIOCFSESSION", CIOCFSESSION },
		{ "CIOCCRYPT", CIOCCRYPT }, { "CIOCKEY", CIOCKEY }, { "CIOCASYMFEAT", CIOCASYMFEAT },
		{ "CIOCGSESSINFO", CIOCGSESSINFO }, { "CIOCAUTHCRYPT", CIOCAUTHCRYPT },
		{ "CIOCASYNCCRYPT", CIOCASYNCCRYPT }, { "CIOCASYNCFETCH", CIOCASYNCFETCH },
		{ "CIOCCPHASH", CIOCCPHASH }, { "CIOCGSESSDRV", CIOCGSESSDRV },
	};

	for (unsigned int i = 0; i < sizeof(ioctls) / sizeof(*ioctls); i++)
		if (strcmp(ioctls[i].name, name) == 0) {
			printf("%lu\n", ioctls[i].number);
			return;
		}
	puts("0");
}

static long call(const char *arguments, long (*how)(int, unsigned long, unsigned long))
{
	unsigned long number, address;
	int fd;

	if (sscanf(arguments, "%d %lu %lu", &fd, &number, &address) != 3)
		return -E2BIG;
	return how(fd, number, address);
}

static long or_errno(long result)
{
	return result < 0 ? -errno : result;
}

static void answer(const char *command, char *arguments)
{
	unsigned long offset, length;
	long result = 0;

	if (strcmp(command, "get") == 0) {
		get(arguments);
		return;
	}
	if (strcmp(command, "arena") == 0) {
		printf("%lu %d\n", (unsigned long)arena, ARENA);
		return;
	}
	if (strcmp(command, "abi") == 0) {
		abi(arguments);
		return;
	}
	if (strcmp(command, "put") == 0)
		put(arguments);
	else if (strcmp(command, "protect") == 0 && sscanf(arguments, "%lu %lu", &offset, &length) == 2)
		result = or_errno(mprotect(arena + offset, length, PROT_READ));
	else if (strcmp(command, "open") == 0)
		result = or_errno(open("/dev/crypto", O_RDWR | O_CLOEXEC));
	else if (strcmp(command, "dup") == 0)
		result = or_errno(dup(atoi(arguments)));
	else if (strcmp(command, "close") == 0)
		result = or_errno(close(atoi(arguments)));
	else if (strcmp(command, "user") == 0)
		result = or_errno(setresuid(atoi(arguments), atoi(arguments), atoi(arguments)));
	else if (strcmp(command, "ioctl") == 0)
		result = call(arguments, native);
	else if (strcmp(command, "ioctl32") == 0)
		result = call(arguments, of32);
	else if (strcmp(command, "fork") == 0)
		result = call(arguments, by_child);
	else if (strcmp(command, "threads") == 0)
		result = threads(arguments);
	else
		result = -ENOSYS;
	printf("%ld\n", result);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED || munmap(arena + ARENA, 4096))
		return 1;
	while ((length = getline(&line, &room, stdin)) > 0) {
		char *arguments;

		if (line[length - 1] == '\n')
			line[length - 1] = 0;
		arguments = strchr(line, ' ');
		if (arguments)
			*arguments++ = 0;
		answer(line, arguments ? arguments : "");
		fflush(stdout);
	}
	return 0;
}
