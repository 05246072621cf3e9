// SPDX-License-Identifier: MIT
// transfer WAY SIZE FILE [DEPTH]: the paper's experiment. Encrypts a file in buffers of SIZE and sends it over TCP to another process, which takes
// the frames as they come, as the paper's does. When the clock has stopped it opens all of them and compares with the file.
//
//   evp             frames and encrypts in the program, by OpenSSL
//   cryptodev       frames in the program; one CIOCCRYPT and one write() a frame. On the program's own pages
//   cryptodev-copy  the same with the data copied in and out, as the paper's /dev/crypto does
//   so_crypt        one write() a frame
//   ktls            the same by the kernel's own TLS; GCM only
//   plain           nothing is encrypted
//
// AES-128-CBC with HMAC-SHA-1, or with $GCM AES-128-GCM. The cipher is the driver that $DRIVER names. Prints one line: bytes, frames, seconds; then of the sender and of the receiver, each while frames
// went over: CPU seconds, voluntary and involuntary context switches. With $COUNT a second line, of the sender: system calls, context switches, those of all
// other tasks, bytes copied between user and kernel.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/cryptodev.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "frame.h"
#include "so_crypt.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* What a process has used up, and used since. */
struct usage {
	double cpu;
	long voluntary, involuntary;
};

static double clock_of(clockid_t id)
{
	struct timespec time;

	clock_gettime(id, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static struct usage usage_since(struct usage start)
{
	struct rusage now;

	getrusage(RUSAGE_SELF, &now);
	return (struct usage){ clock_of(CLOCK_PROCESS_CPUTIME_ID) - start.cpu, now.ru_nvcsw - start.voluntary, now.ru_nivcsw - start.involuntary };
}

static const uint8_t *map(const char *name, size_t *len)
{
	const int fd = open(name, O_RDONLY);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st))
		fail(name);
	at = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		fail("mmap");
	*len = st.st_size;
	return at;
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, data, len);

		if (n <= 0)
			fail("write");
		data += n;
		len -= n;
	}
}

static int is_gcm(void)
{
	return getenv("GCM") != NULL;
}

/* The kernel's choice of a driver */
static const char *any(void)
{
	return is_gcm() ? "gcm(aes)" : "cbc(aes)";
}

static const char *driver(void)
{
	const char *name = getenv("DRIVER");

	return name ? name : any();
}

static void arm(int fd, int depth)
{
	struct so_crypt_info info = {
		.operation = SO_CRYPT_ARM, .direction = SO_CRYPT_WRITE, .protocol = SO_CRYPT_TLS_1_2,
		.depth = depth, .key_len = KEY,
	};

	strncpy(info.cipher, driver(), SO_CRYPT_NAME_LEN - 1);
	memcpy(info.key, cipher_key, KEY);
	if (is_gcm()) {
		info.iv_len = SALT;
		memcpy(info.iv, salt, SALT);
	} else {
		strcpy(info.mac, "hmac(sha1)");
		info.mac_key_len = MAC;
		memcpy(info.mac_key, mac_key, MAC);
	}
	if (setsockopt(fd, SOL_TCP, TCP_ULP, SO_CRYPT_ULP, strlen(SO_CRYPT_ULP)) ||
	    setsockopt(fd, SOL_SO_CRYPT, SO_CRYPT, &info, sizeof(info)))
		fail("SO_CRYPT");
}

static void arm_ktls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = { .info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 } };

	memcpy(info.key, cipher_key, KEY);
	memcpy(info.salt, salt, SALT);
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3) || setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)))
		fail("ktls");
}

static uint32_t device_open(int *device)
{
	struct session_driver_op op = { .cipher = is_gcm() ? CRYPTO_AES_GCM : CRYPTO_AES_CBC, .keylen = KEY, .key = (uintptr_t)cipher_key };

	*device = open("/dev/crypto", O_RDWR);
	if (strcmp(driver(), any()))
		strncpy(op.cipher_driver, driver(), sizeof(op.cipher_driver) - 1);
	if (*device < 0 || ioctl(*device, CIOCGSESSDRV, &op))
		fail("/dev/crypto");
	return op.ses;
}

/* What a program that frames by itself has made ready. */
struct sender {
	int frames_here;
	int device;	/* -1: OpenSSL */
	uint32_t session;
	int flags;
	struct frames frames;
};

static struct sender prepare(int fd, const char *way, const char *depth)
{
	static uint8_t frame[MAX_FRAME];
	struct sender s = { .device = -1, .frames_here = !strcmp(way, "evp") || !strncmp(way, "cryptodev", 9) };

	if (!strncmp(way, "cryptodev", 9))
		s.session = device_open(&s.device);
	s.flags = strcmp(way, "cryptodev") ? COP_FLAG_NO_ZC : 0;
	if (!strcmp(way, "so_crypt"))
		arm(fd, depth ? atoi(depth) : 0);
	if (!strcmp(way, "ktls"))
		arm_ktls(fd);
	/* OpenSSL looks for its algorithms when they are used first. */
	s.frames = frames_new(is_gcm(), 1);
	frame_encrypt(&s.frames, frame, frame_lay_out(&s.frames, frame, 1, frame));
	s.frames.sequence = 0;
	return s;
}

static void device_encrypt(struct sender *s, uint8_t *frame, size_t len)
{
	uint8_t *text = frame + s->frames.text;
	struct crypt_op op = {
		.ses = s->session, .op = COP_ENCRYPT, .flags = s->flags, .len = len - s->frames.text, .src = text, .dst = text,
		.iv = frame + HEADER,
	};
	struct crypt_auth_op aead = {
		.ses = s->session, .op = COP_ENCRYPT, .flags = s->flags, .len = len - s->frames.text - TAG, .src = text, .dst = text,
		.auth_src = s->frames.assoc, .auth_len = ASSOC, .tag_len = TAG, .iv = s->frames.nonce, .iv_len = SALT + EXPLICIT,
	};

	if (s->frames.gcm ? ioctl(s->device, CIOCAUTHCRYPT, &aead) : ioctl(s->device, CIOCCRYPT, &op))
		fail("/dev/crypto");
}

/* Sends all of it; the number of frames. */
static size_t send_file(int fd, struct sender *s, size_t size, const uint8_t *file, size_t len)
{
	static uint8_t frame[(MAX_FRAME / 4096 + 1) * 4096] __attribute__((aligned(4096)));
	size_t count = 0;

	for (size_t at = 0; at < len; at += size, count++) {
		const size_t n = len - at < size ? len - at : size;
		size_t whole;

		if (!s->frames_here) {
			write_all(fd, file + at, n);
			continue;
		}
		whole = frame_lay_out(&s->frames, file + at, n, frame);
		if (s->device < 0)
			frame_encrypt(&s->frames, frame, whole);
		else
			device_encrypt(s, frame, whole);
		write_all(fd, frame, whole);
	}
	return count;
}

static void verify(uint8_t *wire, size_t len, const uint8_t *file, size_t size)
{
	struct frames f = frames_new(is_gcm(), 0);
	size_t at = 0, plain = 0;

	while (len - at >= HEADER) {
		const size_t whole = HEADER + (wire[at + 3] << 8 | wire[at + 4]);
		const long n = whole <= len - at ? frame_open(&f, wire + at, whole) : -1;

		if (n < 0 || plain + n > size || memcmp(wire + at + f.text, file + plain, n))
			break;
		plain += n;
		at += whole;
	}
	if (at != len || plain != size) {
		fprintf(stderr, "frame %ju, at byte %zu, is wrong\n", (uintmax_t)f.sequence, at);
		exit(1);
	}
}

/* transfer receive LISTENER WAY SIZE FILE */
static int receive(char **argv)
{
	size_t len, size = atoi(argv[4]), have = 0, want;
	const uint8_t *file = map(argv[5], &len);
	const int plain = !strcmp(argv[3], "plain"), fd = accept(atoi(argv[2]), NULL, NULL);
	const struct frames f = { .gcm = is_gcm(), .text = HEADER + (is_gcm() ? EXPLICIT : IV) };
	struct usage used;
	uint8_t *wire;

	want = plain ? len : len / size * frame_length(&f, size) + (len % size ? frame_length(&f, len % size) : 0);
	wire = malloc(want + 1);
	if (!wire)
		fail("malloc");
	memset(wire, 1, want + 1);
	used = usage_since((struct usage){ 0 });
	write_all(fd, (const uint8_t *)"r", 1);
	while (have < want) {
		const ssize_t n = read(fd, wire + have, want + 1 - have);

		if (n <= 0)
			fail("read");
		have += n;
	}
	used = usage_since(used);
	write_all(fd, (const uint8_t *)&used, sizeof(used));
	if (read(fd, wire + want, 1) != 0 || have != want)
		fail("the end");
	if (plain ? memcmp(wire, file, len) != 0 : (verify(wire, want, file, len), 0))
		fail("compare");
	return 0;
}

/* What runs on the other machine in the paper: its CPU may have all that this one has. */
static pid_t start_receiver(int listener, char **argv)
{
	const pid_t child = fork();
	char number[16];

	if (child)
		return child;
	snprintf(number, sizeof(number), "%d", listener);
	unsetenv("OPENSSL_ia32cap");
	execl("/proc/self/exe", argv[0], "receive", number, argv[1], argv[2], argv[3], NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t where_len = sizeof(where);
	int listener, fd, status;
	const uint8_t *file;
	const int counting = getenv("COUNT") != NULL;
	struct usage sender, receiver;
	struct counts counts = { 0 };
	struct sender way;
	size_t len, frames;
	double seconds;
	char byte;

	if (argc == 6 && !strcmp(argv[1], "receive"))
		return receive(argv);
	if (argc < 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > MAX_PAYLOAD)
		return 2;
	file = map(argv[3], &len);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&where, where_len) || listen(listener, 1) || getsockname(listener, (void *)&where, &where_len))
		fail("listen");
	start_receiver(listener, argv);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (void *)&where, where_len) || read(fd, &byte, 1) != 1)
		fail("connect");
	way = prepare(fd, argv[1], argv[4]);

	sender = usage_since((struct usage){ 0 });
	if (counting)
		count_start();
	seconds = clock_of(CLOCK_MONOTONIC);
	frames = send_file(fd, &way, atoi(argv[2]), file, len);
	if (recv(fd, &receiver, sizeof(receiver), MSG_WAITALL) != sizeof(receiver))
		fail("acknowledgement");
	seconds = clock_of(CLOCK_MONOTONIC) - seconds;
	if (counting)
		counts = count_stop();
	sender = usage_since(sender);

	shutdown(fd, SHUT_WR);
	if (wait(&status) < 0 || status)
		return 1;
	printf("%zu %zu %.6f %.6f %ld %ld %.6f %ld %ld\n", len, frames, seconds, sender.cpu, sender.voluntary, sender.involuntary,
	       receiver.cpu, receiver.voluntary, receiver.involuntary);
	if (counting)
		printf("%ld %ld %ld %ld\n", counts.calls, counts.switches, counts.others, counts.copied);
	return 0;
}
