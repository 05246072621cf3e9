/* SPDX-License-Identifier: MIT */
// TLS 1.2 records of AES-128-CBC with HMAC-SHA-1, MAC-then-encrypt (RFC 5246 6.2.3.2): what a program that frames by itself has to do.
#ifndef FRAME_H
#define FRAME_H
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADER = 5, IV = 16, BLOCK = 16, MAC = 20, KEY = 16, MAX_PAYLOAD = 16384, MAX_FRAME = HEADER + IV + MAX_PAYLOAD + MAC + BLOCK };

extern const uint8_t cipher_key[KEY], mac_key[MAC];

struct frames {
	uint64_t sequence;
	EVP_MD_CTX *inner, *outer, *hash;	/* HMAC with the keys taken in */
	EVP_CIPHER_CTX *cipher;
};

/* Everything but the encryption; the frame's length. What is to be encrypted begins behind HEADER + IV. */
size_t frame_lay_out(struct frames *f, const uint8_t *payload, size_t size, uint8_t *frame);
void frame_encrypt(struct frames *f, uint8_t *frame, size_t len);
/* Verified: the payload's length, which is then at frame + HEADER + IV, or -1. */
long frame_open(struct frames *f, uint8_t *frame, size_t len);
size_t frame_length(size_t payload);
struct frames frames_new(int encrypt);
#endif
