// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED
#include "host.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int ok, const char *what) {
	if (ok) return;
	fprintf(stderr, "libcrypto failed: %s\n", what);
	abort();
}

void *host_alloc(size_t size) {
	void *p = malloc(size);
	check(p != NULL, "out of memory");
	return p;
}

void host_free(void *p) { free(p); }

void host_vpanic(const char *format, va_list ap) {
	fflush(stdout);
	fputs("panic: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	abort();
}

void host_print(const char *format, ...) {
	va_list ap;
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fflush(stdout);
}

int host_line(char *line, size_t size) {
	if (fgets(line, (int)size, stdin) == NULL) return 0;
	size_t n = strlen(line);
	if (n > 0 && line[n - 1] == '\n') line[n - 1] = 0;
	return 1;
}

// Fetching by name takes a lock and a search: contexts are kept.
static EVP_CIPHER_CTX *context(const char *name, const EVP_CIPHER **cipher) {
	static struct {
		const char *name;
		EVP_CIPHER *cipher;
		EVP_CIPHER_CTX *ctx;
	} known[24];
	for (size_t i = 0; i < 24; i++) {
		if (known[i].name == NULL) {
			known[i].name = name;
			known[i].cipher = EVP_CIPHER_fetch(NULL, name, NULL);
			known[i].ctx = EVP_CIPHER_CTX_new();
			check(known[i].cipher != NULL, name);
		}
		if (strcmp(known[i].name, name) == 0) {
			*cipher = known[i].cipher;
			return known[i].ctx;
		}
	}
	abort();
}

void host_cipher(const char *name, const uint8_t *key, const uint8_t *iv, int encrypt, uint8_t *data, size_t len) {
	const EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx = context(name, &cipher);
	int n = 0;
	check(EVP_CipherInit_ex2(ctx, cipher, key, iv, encrypt, NULL), name);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	check(EVP_CipherUpdate(ctx, data, &n, data, (int)len) && n == (int)len, name);
}

void host_aead(const char *name, const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *data,
    size_t len, uint8_t *tag) {
	const EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx = context(name, &cipher);
	uint8_t end[16];
	int n = 0;
	check(EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL), name);
	if (aad_len) check(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len), "aad");
	if (len) check(EVP_EncryptUpdate(ctx, data, &n, data, (int)len), "data");
	check(EVP_EncryptFinal_ex(ctx, end, &n), "final");
	check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag), "tag");
}

void host_hmac(const char *digest, const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t *mac) {
	unsigned n = 0;
	check(HMAC(EVP_get_digestbyname(digest), key, (int)key_len, data, len, mac, &n) != NULL, digest);
}

void host_poly1305(const uint8_t *key, const uint8_t *data, size_t len, uint8_t *tag) {
	size_t n = 16;
	check(EVP_Q_mac(NULL, "POLY1305", NULL, NULL, NULL, key, 32, data, len, tag, 16, &n) != NULL, "poly1305");
}

void host_sha1_block(uint32_t *state, const uint8_t *block) {
	SHA_CTX c = { .h0 = state[0], .h1 = state[1], .h2 = state[2], .h3 = state[3], .h4 = state[4] };
	SHA1_Transform(&c, block);
	state[0] = c.h0, state[1] = c.h1, state[2] = c.h2, state[3] = c.h3, state[4] = c.h4;
}

void host_sha256_block(uint32_t *state, const uint8_t *block) {
	SHA256_CTX c;
	memset(&c, 0, sizeof(c));
	memcpy(c.h, state, sizeof(c.h));
	SHA256_Transform(&c, block);
	memcpy(state, c.h, sizeof(c.h));
}

void host_sha512_block(uint64_t *state, const uint8_t *block) {
	SHA512_CTX c;
	memset(&c, 0, sizeof(c));
	memcpy(c.h, state, sizeof(c.h));
	SHA512_Transform(&c, block);
	memcpy(state, c.h, sizeof(c.h));
}
