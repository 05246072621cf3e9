/* SPDX-License-Identifier: MIT */
// TLS 1.2 records of AES-128-CBC with HMAC-SHA-1, MAC-then-encrypt (RFC 5246 6.2.3.2), or of AES-128-GCM (RFC 5288): what a program that frames
// by itself has to do.
#ifndef FRAME_H
#define FRAME_H
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADER = 5, IV = 16, BLOCK = 16, MAC = 20, KEY = 16, SALT = 4, EXPLICIT = 8, TAG = 16, ASSOC = 13, MAX_PAYLOAD = 16384, MAX_FRAME = HEADER + IV + MAX_PAYLOAD + MAC + BLOCK };

extern const uint8_t cipher_key[KEY], mac_key[MAC], salt[SALT];

struct frames {
	int gcm;
	size_t text;		/* where a frame's ciphertext begins */
	uint64_t sequence;
	uint8_t assoc[ASSOC];	/* of the frame that was laid out last */
	uint8_t nonce[SALT + EXPLICIT];
	EVP_MD_CTX *inner, *outer, *hash;	/* HMAC with the keys taken in */
	EVP_CIPHER_CTX *cipher;
};

/* Everything but the encryption; the frame's length. */
size_t frame_lay_out(struct frames *f, const uint8_t *payload, size_t size, uint8_t *frame);
void frame_encrypt(struct frames *f, uint8_t *frame, size_t len);
/* Verified: the payload's length, or -1. */
long frame_open(struct frames *f, uint8_t *frame, size_t len);
size_t frame_length(const struct frames *f, size_t payload);
struct frames frames_new(int gcm, int encrypt);
#endif
