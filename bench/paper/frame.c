// SPDX-License-Identifier: MIT
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

const uint8_t cipher_key[KEY] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
const uint8_t mac_key[MAC] = { 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40 };

static EVP_MD_CTX *keyed(uint8_t with)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t block[64] = { 0 };

	memcpy(block, mac_key, MAC);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= with;
	EVP_DigestInit_ex(ctx, EVP_sha1(), NULL);
	EVP_DigestUpdate(ctx, block, sizeof(block));
	return ctx;
}

struct frames frames_new(int encrypt)
{
	struct frames f = { .inner = keyed(0x36), .outer = keyed(0x5c), .hash = EVP_MD_CTX_new(), .cipher = EVP_CIPHER_CTX_new() };

	EVP_CipherInit_ex(f.cipher, EVP_aes_128_cbc(), NULL, cipher_key, NULL, encrypt);
	EVP_CIPHER_CTX_set_padding(f.cipher, 0);
	return f;
}

size_t frame_length(size_t payload)
{
	return HEADER + IV + (payload + MAC) / BLOCK * BLOCK + BLOCK;
}

static void put_mac(struct frames *f, const uint8_t *header, const uint8_t *payload, size_t size, uint8_t *mac)
{
	uint8_t assoc[13];
	unsigned int n;

	for (int i = 0; i < 8; i++)
		assoc[i] = f->sequence >> (56 - 8 * i);
	memcpy(assoc + 8, header, 3);
	assoc[11] = size >> 8;
	assoc[12] = size;
	f->sequence++;
	EVP_MD_CTX_copy_ex(f->hash, f->inner);
	EVP_DigestUpdate(f->hash, assoc, sizeof(assoc));
	EVP_DigestUpdate(f->hash, payload, size);
	EVP_DigestFinal_ex(f->hash, mac, &n);
	EVP_MD_CTX_copy_ex(f->hash, f->outer);
	EVP_DigestUpdate(f->hash, mac, MAC);
	EVP_DigestFinal_ex(f->hash, mac, &n);
}

static void random_iv(uint8_t *iv)
{
	static uint8_t pool[4096];
	static size_t used = sizeof(pool);

	/* Many at a time, so that it is no system call a frame for those who frame by themselves. */
	if (used == sizeof(pool)) {
		extern long getrandom(void *, size_t, unsigned int);

		if (getrandom(pool, sizeof(pool), 0) != sizeof(pool))
			abort();
		used = 0;
	}
	memcpy(iv, pool + used, IV);
	used += IV;
}

size_t frame_lay_out(struct frames *f, const uint8_t *payload, size_t size, uint8_t *frame)
{
	const size_t len = frame_length(size), padding = len - HEADER - IV - size - MAC;
	uint8_t *text = frame + HEADER + IV;

	frame[0] = 23;
	frame[1] = frame[2] = 3;
	frame[3] = (len - HEADER) >> 8;
	frame[4] = len - HEADER;
	random_iv(frame + HEADER);
	memcpy(text, payload, size);
	put_mac(f, frame, payload, size, text + size);
	memset(text + size + MAC, padding - 1, padding);
	return len;
}

void frame_encrypt(struct frames *f, uint8_t *frame, size_t len)
{
	uint8_t *text = frame + HEADER + IV;
	int n;

	EVP_CipherInit_ex(f->cipher, NULL, NULL, NULL, frame + HEADER, -1);
	EVP_CipherUpdate(f->cipher, text, &n, text, len - HEADER - IV);
}

long frame_open(struct frames *f, uint8_t *frame, size_t len)
{
	uint8_t *text = frame + HEADER + IV, mac[MAC];
	long size;

	if (len < HEADER + IV + 2 * BLOCK || frame[0] != 23 || (len - HEADER - IV) % BLOCK)
		return -1;
	frame_encrypt(f, frame, len);
	size = (long)len - HEADER - IV - MAC - 1 - frame[len - 1];
	if (size < 0)
		return -1;
	put_mac(f, frame, text, size, mac);
	return memcmp(mac, text + size, MAC) ? -1 : size;
}
