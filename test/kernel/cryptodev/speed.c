// SPDX-License-Identifier: MIT
// AES-128-CBC by a driver of /dev/crypto, one request at a time, in place: MB/s of three runs.
//   speed DRIVER SIZE
#include <fcntl.h>
#include <linux/cryptodev.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static uint8_t key[16], iv[16];
	struct session_driver_op session = { .cipher = CRYPTO_AES_CBC, .keylen = sizeof(key), .key = (uintptr_t)key };
	int fd = open("/dev/crypto", O_RDWR);
	uint32_t size = argc == 3 ? atoi(argv[2]) : 0;
	uint8_t *data = aligned_alloc(4096, size);

	if (!data || argc != 3 || strlen(argv[1]) >= sizeof(session.cipher_driver))
		return 2;
	strcpy(session.cipher_driver, argv[1]);
	if (fd < 0 || ioctl(fd, CIOCGSESSDRV, &session))
		return 1;
	memset(data, 1, size);
	for (int run = 0; run < 3; run++) {
		double start = now();
		long bytes = 0;

		do {
			struct crypt_op op = { .ses = session.ses, .len = size, .src = data, .dst = data, .iv = iv };

			if (ioctl(fd, CIOCCRYPT, &op))
				return 1;
			bytes += size;
		} while (now() - start < 1);
		printf("%.1f ", bytes / 1e6 / (now() - start));
	}
	putchar('\n');
	return 0;
}
