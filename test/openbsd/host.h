/* SPDX-License-Identifier: MIT */
/* What the small kernel asks of the process around it: libc and libcrypto, in plain C types. */
#ifndef HOST_H
#define HOST_H
#include <stddef.h>
#include <stdint.h>

void *host_alloc(size_t);
void host_free(void *);
void host_vpanic(const char *, __builtin_va_list) __attribute__((noreturn));
void host_print(const char *, ...) __attribute__((format(printf, 1, 2)));

/* The next line of standard input, without its end; 0 at the end. */
int host_line(char *, size_t);

/* Ciphers by OpenSSL's name, whole buffers, in place. */
void host_cipher(const char *name, const uint8_t *key, const uint8_t *iv, int encrypt, uint8_t *data, size_t len);
/* Encrypts in place and gives the 16 bytes of tag. */
void host_aead(const char *name, const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *data,
    size_t len, uint8_t *tag);
void host_hmac(const char *digest, const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t *mac);
void host_poly1305(const uint8_t *key, const uint8_t *data, size_t len, uint8_t *tag);
/* One block through the compression function. */
void host_sha1_block(uint32_t *state, const uint8_t *block);
void host_sha256_block(uint32_t *state, const uint8_t *block);
void host_sha512_block(uint64_t *state, const uint8_t *block);

#endif
