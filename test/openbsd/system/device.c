/* SPDX-License-Identifier: MIT */
/* /dev/crypto. */
#include "system.h"

#include <sys/ioctl.h>
#include <sys/sysctl.h>

#include <crypto/cryptodev.h>

static const unsigned char cbc_expected[] = {
	127, 201, 143, 252, 65, 102, 147, 161, 130, 253, 72, 97, 53, 161, 76, 230, 39, 255, 146, 164, 213, 54, 150, 244, 252,
	226, 103, 186, 164, 219, 254, 88
};

void test_device(void) {
	int mib[2] = { CTL_KERN, KERN_USERCRYPTO }, on = 1, off = 0, fd = open("/dev/crypto", O_RDWR);
	SAME("off", OF(fd), -ENXIO);
	SAME("kern.usercrypto", OF(sysctl(mib, 2, NULL, NULL, &on, sizeof(on))), 0);
	mib[1] = KERN_CRYPTODEVALLOWSOFT;
	SAME("kern.cryptodevallowsoft", OF(sysctl(mib, 2, NULL, NULL, &on, sizeof(on))), 0);
	fd = open("/dev/crypto", O_RDWR);
	SAME("open", fd >= 0, 1);
	u_int32_t sessions = 0;
	SAME("CRIOGET", OF(ioctl(fd, CRIOGET, &sessions)), 0);
	u_int8_t key[16], iv[16];
	for (int i = 0; i < 16; i++) key[i] = i * 7 + 1, iv[i] = 9;
	struct session_op session = { .cipher = CRYPTO_AES_CBC, .keylen = sizeof(key), .key = (caddr_t)key };
	SAME("CIOCGSESSION", OF(ioctl((int)sessions, CIOCGSESSION, &session)), 0);
	memset(in, 65, 32);
	struct crypt_op op = { .ses = session.ses, .op = COP_ENCRYPT, .len = 32, .src = (caddr_t)in, .dst = (caddr_t)out, .iv = (caddr_t)iv };
	SAME("CIOCCRYPT", OF(ioctl((int)sessions, CIOCCRYPT, &op)), 0);
	SAME("AES-CBC", memcmp(out, cbc_expected, 32), 0);
	SAME("CIOCFSESSION", OF(ioctl((int)sessions, CIOCFSESSION, &session.ses)), 0);
	SAME("no session", OF(ioctl((int)sessions, CIOCCRYPT, &op)), -EINVAL);
	close((int)sessions);
	close(fd);
	SAME("kern.cryptodevallowsoft", OF(sysctl(mib, 2, NULL, NULL, &off, sizeof(off))), 0);
	mib[1] = KERN_USERCRYPTO;
	SAME("kern.usercrypto", OF(sysctl(mib, 2, NULL, NULL, &off, sizeof(off))), 0);
	say("ok - /dev/crypto\n");
}
