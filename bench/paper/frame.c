// SPDX-License-Identifier: MIT
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

const uint8_t cipher_key[KEY] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
const uint8_t mac_key[MAC] = { 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40 };
const uint8_t salt[SALT] = { 41, 42, 43, 44 };

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

struct frames frames_new(int gcm, int encrypt)
{
	struct frames f = { .gcm = gcm, .text = HEADER + (gcm ? EXPLICIT : IV), .inner = keyed(0x36), .outer = keyed(0x5c), .hash = EVP_MD_CTX_new(), .cipher = EVP_CIPHER_CTX_new() };

	EVP_CipherInit_ex(f.cipher, gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc(), NULL, cipher_key, NULL, encrypt);
	EVP_CIPHER_CTX_set_padding(f.cipher, 0);
	return f;
}

size_t frame_length(const struct frames *f, size_t payload)
{
	if (f->gcm)
		return f->text + payload + TAG;
	return HEADER + IV + (payload + MAC) / BLOCK * BLOCK + BLOCK;
}

static void put_be64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = value >> (56 - 8 * i);
}

/* What is authenticated in front of the payload. Takes the sequence number. */
static void put_assoc(struct frames *f, const uint8_t *header, size_t size)
{
	put_be64(f->assoc, f->sequence++);
	memcpy(f->assoc + 8, header, 3);
	f->assoc[11] = size >> 8;
	f->assoc[12] = size;
}

static void put_mac(struct frames *f, const uint8_t *payload, size_t size, uint8_t *mac)
{
	unsigned int n;

	EVP_MD_CTX_copy_ex(f->hash, f->inner);
	EVP_DigestUpdate(f->hash, f->assoc, ASSOC);
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
	const size_t len = frame_length(f, size);
	uint8_t *text = frame + f->text;

	frame[0] = 23;
	frame[1] = frame[2] = 3;
	frame[3] = (len - HEADER) >> 8;
	frame[4] = len - HEADER;
	memcpy(text, payload, size);
	if (f->gcm) {
		put_be64(frame + HEADER, f->sequence);
		memcpy(f->nonce, salt, SALT);
		memcpy(f->nonce + SALT, frame + HEADER, EXPLICIT);
		put_assoc(f, frame, size);
		return len;
	}
	random_iv(frame + HEADER);
	put_assoc(f, frame, size);
	put_mac(f, payload, size, text + size);
	memset(text + size + MAC, len - f->text - size - MAC - 1, len - f->text - size - MAC);
	return len;
}

void frame_encrypt(struct frames *f, uint8_t *frame, size_t len)
{
	uint8_t *text = frame + f->text;
	int n;

	if (!f->gcm) {
		EVP_CipherInit_ex(f->cipher, NULL, NULL, NULL, frame + HEADER, -1);
		EVP_CipherUpdate(f->cipher, text, &n, text, len - f->text);
		return;
	}
	EVP_CipherInit_ex(f->cipher, NULL, NULL, NULL, f->nonce, -1);
	EVP_CipherUpdate(f->cipher, NULL, &n, f->assoc, ASSOC);
	EVP_CipherUpdate(f->cipher, text, &n, text, len - f->text - TAG);
	EVP_CipherFinal_ex(f->cipher, text + n, &n);
	EVP_CIPHER_CTX_ctrl(f->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, frame + len - TAG);
}

static long open_gcm(struct frames *f, uint8_t *frame, size_t len)
{
	const long size = (long)len - (long)f->text - TAG;
	uint8_t *text = frame + f->text;
	int n;

	if (size < 0)
		return -1;
	put_assoc(f, frame, size);
	memcpy(f->nonce, salt, SALT);
	memcpy(f->nonce + SALT, frame + HEADER, EXPLICIT);
	EVP_CipherInit_ex(f->cipher, NULL, NULL, NULL, f->nonce, -1);
	EVP_CIPHER_CTX_ctrl(f->cipher, EVP_CTRL_AEAD_SET_TAG, TAG, frame + len - TAG);
	EVP_CipherUpdate(f->cipher, NULL, &n, f->assoc, ASSOC);
	EVP_CipherUpdate(f->cipher, text, &n, text, size);
	return EVP_CipherFinal_ex(f->cipher, text + n, &n) == 1 ? size : -1;
}

long frame_open(struct frames *f, uint8_t *frame, size_t len)
{
	uint8_t *text = frame + f->text, mac[MAC];
	long size;

	if (frame[0] != 23)
		return -1;
	if (f->gcm)
		return open_gcm(f, frame, len);
	if (len < f->text + 2 * BLOCK || (len - f->text) % BLOCK)
		return -1;
	frame_encrypt(f, frame, len);
	size = (long)len - (long)f->text - MAC - 1 - frame[len - 1];
	if (size < 0)
		return -1;
	put_assoc(f, frame, size);
	put_mac(f, text, size, mac);
	return memcmp(mac, text + size, MAC) ? -1 : size;
}
