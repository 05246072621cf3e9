// SPDX-License-Identifier: MIT
// The hashes of libkern: their buffering and states are ours, the compression function is libcrypto's.
#include "kern.h"

#include "host.h"

long hash_blocks;

static void feed(u_int64_t *count, u_char *buffer, u_int block, const u_char *p, size_t len, void (*compress)(void *, const u_char *),
    void *state) {
	u_int have = *count % block;
	*count += len;
	while (len > 0) {
		if (have == 0 && len >= block) {
			compress(state, p);
			hash_blocks++;
			p += block, len -= block;
			continue;
		}
		u_int n = ulmin(block - have, len);
		memcpy(buffer + have, p, n);
		have += n, p += n, len -= n;
		if (have == block) {
			compress(state, buffer);
			hash_blocks++;
			have = 0;
		}
	}
}

static void finish(u_int64_t *count, u_char *buffer, u_int block, void (*compress)(void *, const u_char *), void *state) {
	u_char pad[256] = { 0x80 };
	u_int64_t bits = *count * 8;
	u_int n = block - *count % block;
	if (n < 1 + block / 8) n += block;
	for (u_int i = 0; i < 8; i++) pad[n - 1 - i] = bits >> 8 * i;
	feed(count, buffer, block, pad, n, compress, state);
}

static void put32(u_char *out, const u_int32_t *words, int n) {
	for (int i = 0; i < n; i++) out[i] = words[i / 4] >> (24 - 8 * (i % 4));
}

static void put64(u_char *out, const u_int64_t *words, int n) {
	for (int i = 0; i < n; i++) out[i] = words[i / 8] >> (56 - 8 * (i % 8));
}

static void sha1(void *state, const u_char *p) { host_sha1_block(state, p); }
static void sha256(void *state, const u_char *p) { host_sha256_block(state, p); }
static void sha512(void *state, const u_char *p) { host_sha512_block(state, p); }

void SHA1Init(SHA1_CTX *c) {
	static const u_int32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	memset(c, 0, sizeof(*c));
	memcpy(c->state, h, sizeof(h));
}
void SHA1Update(SHA1_CTX *c, const void *p, u_int n) { feed(&c->count, c->buffer, 64, p, n, sha1, c->state); }
void SHA1Final(u_char *out, SHA1_CTX *c) {
	finish(&c->count, c->buffer, 64, sha1, c->state);
	put32(out, c->state, 20);
	memset(c, 0, sizeof(*c));
}

void SHA256Init(SHA2_CTX *c) {
	static const u_int32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	memset(c, 0, sizeof(*c));
	memcpy(c->state.st32, h, sizeof(h));
}
void SHA256Update(SHA2_CTX *c, const void *p, size_t n) { feed(&c->count, c->buffer, 64, p, n, sha256, c->state.st32); }
void SHA256Final(u_char *out, SHA2_CTX *c) {
	finish(&c->count, c->buffer, 64, sha256, c->state.st32);
	put32(out, c->state.st32, 32);
	memset(c, 0, sizeof(*c));
}

void SHA384Init(SHA2_CTX *c) {
	static const u_int64_t h[8] = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31,
		0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 };
	memset(c, 0, sizeof(*c));
	memcpy(c->state.st64, h, sizeof(h));
}
void SHA384Update(SHA2_CTX *c, const void *p, size_t n) { feed(&c->count, c->buffer, 128, p, n, sha512, c->state.st64); }
void SHA384Final(u_char *out, SHA2_CTX *c) {
	finish(&c->count, c->buffer, 128, sha512, c->state.st64);
	put64(out, c->state.st64, 48);
	memset(c, 0, sizeof(*c));
}

void SHA512Init(SHA2_CTX *c) {
	static const u_int64_t h[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
		0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };
	memset(c, 0, sizeof(*c));
	memcpy(c->state.st64, h, sizeof(h));
}
void SHA512Update(SHA2_CTX *c, const void *p, size_t n) { feed(&c->count, c->buffer, 128, p, n, sha512, c->state.st64); }
void SHA512Final(u_char *out, SHA2_CTX *c) {
	finish(&c->count, c->buffer, 128, sha512, c->state.st64);
	put64(out, c->state.st64, 64);
	memset(c, 0, sizeof(*c));
}
