/* SPDX-License-Identifier: MIT */
/* What the test programs share: connections over loopback, and where the option is. */
#ifndef PAIR_H
#define PAIR_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "so_crypt.h"

/* SO_CRYPT_LEVEL=socket: at SOL_SOCKET, on a kernel with the hooks, which sets TCP_ULP by itself. Else behind TCP_ULP, as on any kernel. */
static inline int has_hooks(void)
{
	const char *level = getenv("SO_CRYPT_LEVEL");

	return level && !strcmp(level, "socket");
}

static inline int crypt_level(void)
{
	return has_hooks() ? SOL_SOCKET : SOL_SO_CRYPT;
}

static inline int attach(int fd)
{
	return has_hooks() ? 0 : setsockopt(fd, SOL_TCP, TCP_ULP, SO_CRYPT_ULP, strlen(SO_CRYPT_ULP));
}

static inline int give_crypt(int fd, const struct so_crypt_info *info)
{
	struct so_crypt_info copy = *info;
	const int result = setsockopt(fd, crypt_level(), SO_CRYPT, &copy, sizeof(copy));

	if (!result || errno != ENOENT || !strstr(copy.cipher, "aes-generic"))
		return result;
	/* Its name in Linux 7 */
	strcpy(copy.cipher, "cryptd(cbc-aes-lib)");
	return setsockopt(fd, crypt_level(), SO_CRYPT, &copy, sizeof(copy));
}

/* Two connected ends; 0, or -1 with errno. */
static inline int connect_pair(int ends[2])
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(where);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	ends[1] = -1;
	if (!bind(listener, (void *)&where, len) && !listen(listener, 1) && !getsockname(listener, (void *)&where, &len) &&
	    !connect(ends[0], (void *)&where, len))
		ends[1] = accept(listener, NULL, NULL);
	close(listener);
	return ends[1] < 0 ? -1 : 0;
}

/* The ways to protect a connection that the programs go through. */
struct kind {
	const char *name;
	unsigned char protocol, flags, key_len, mac_key_len, iv_len;
	const char *cipher, *mac;
	unsigned int weight;	/* how many of the bytes, where there are many */
};

static const struct kind kinds[] = {
	{ "tls1.3 gcm", SO_CRYPT_TLS_1_3, 0, 16, 0, 12, "gcm(aes)", "", 4 },
	{ "tls1.3 chacha20", SO_CRYPT_TLS_1_3, 0, 32, 0, 12, "rfc7539(chacha20,poly1305)", "", 2 },
	{ "tls1.2 gcm", SO_CRYPT_TLS_1_2, 0, 32, 0, 4, "gcm(aes)", "", 1 },
	{ "tls1.2 ccm", SO_CRYPT_TLS_1_2, 0, 16, 0, 4, "ccm(aes)", "", 1 },
	{ "tls1.2 cbc", SO_CRYPT_TLS_1_2, 0, 16, 20, 0, "cbc(aes)", "hmac(sha1)", 3 },
	{ "tls1.2 cbc etm", SO_CRYPT_TLS_1_2, SO_CRYPT_ETM, 32, 32, 0, "cbc(aes)", "hmac(sha256)", 2 },
	{ "tls1.0 cbc", SO_CRYPT_TLS_1_0, 0, 16, 20, 16, "cbc(aes)", "hmac(sha1)", 1 },
	{ "tls1.2 cbc, asynchronous", SO_CRYPT_TLS_1_2, 0, 16, 20, 0, "cryptd(cbc(aes-generic))", "hmac(sha1)", 1 },
	{ "ssh gcm", SO_CRYPT_SSH, 0, 16, 0, 12, "gcm(aes)", "", 3 },
	{ "ssh chacha20", SO_CRYPT_SSH, 0, 64, 0, 0, "chacha20-poly1305@openssh.com", "", 2 },
	{ "ssh ctr etm", SO_CRYPT_SSH, SO_CRYPT_ETM, 16, 32, 16, "ctr(aes)", "hmac(sha256)", 2 },
	{ "ssh cbc", SO_CRYPT_SSH, 0, 16, 20, 16, "cbc(aes)", "hmac(sha1)", 1 },
	{ "custom gcm", SO_CRYPT_CUSTOM, 0, 16, 0, 12, "gcm(aes)", "", 3 },
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* The same for both ends of one direction. Each `number` has a key of its own. */
static inline void make_keys(struct so_crypt_info *info, const struct kind *kind, int direction, unsigned int number)
{
	memset(info, 0, sizeof(*info));
	info->operation = SO_CRYPT_ARM;
	info->direction = direction;
	info->protocol = kind->protocol;
	info->flags = kind->flags;
	info->key_len = kind->key_len;
	info->mac_key_len = kind->mac_key_len;
	info->iv_len = kind->iv_len;
	strcpy(info->cipher, kind->cipher);
	strcpy(info->mac, kind->mac);
	memset(info->key, 5, info->key_len);
	memcpy(info->key, &number, sizeof(number));
	memset(info->mac_key, 6, info->mac_key_len);
	memset(info->iv, 7, info->iv_len);
	if (kind->protocol == SO_CRYPT_CUSTOM) {
		info->max_payload = 50000;
		info->layout = (struct so_crypt_layout){
			.header = "soak", .header_len = 8, .length_offset = 4, .length_size = 4,
			.length_bias = 8, .fixed_iv = 12, .assoc_sequence = 8, .assoc_end = 8,
		};
	}
}

/* Arms both directions of both ends; `number` and the next are taken. */
static inline int arm_pair(const int ends[2], const struct kind *kind, unsigned int number)
{
	struct so_crypt_info info;

	for (int i = 0; i < 2; i++) {
		if (attach(ends[i]))
			return -1;
		for (int direction = SO_CRYPT_WRITE; direction <= SO_CRYPT_READ; direction++) {
			make_keys(&info, kind, direction, number + ((direction == SO_CRYPT_WRITE) == i));
			if (give_crypt(ends[i], &info))
				return -1;
		}
	}
	return 0;
}
#endif
