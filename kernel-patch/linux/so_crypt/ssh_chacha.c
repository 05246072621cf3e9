// SPDX-License-Identifier: GPL-2.0
/*
 * chacha20-poly1305@openssh.com: OpenSSH's PROTOCOL.chacha20poly1305. The length
 * has a key of its own; the MAC covers the encrypted length and the ciphertext.
 */
#include <crypto/algapi.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "compat.h"
#include "ssh_chacha.h"

enum { LENGTH_FIELD = 4 };

struct scr_ssh_chacha {
	u32 payload_key[CHACHA_KEY_SIZE / 4];	/* K_2 */
	u32 length_key[CHACHA_KEY_SIZE / 4];	/* K_1 */
};

struct scr_ssh_chacha *scr_ssh_chacha_create(const u8 *key)
{
	struct scr_ssh_chacha *c = kmalloc(sizeof(*c), GFP_KERNEL);
	unsigned int i;

	if (!c)
		return NULL;
	for (i = 0; i < CHACHA_KEY_SIZE / 4; i++) {
		c->payload_key[i] = get_unaligned_le32(key + 4 * i);
		c->length_key[i] = get_unaligned_le32(key + CHACHA_KEY_SIZE +
						      4 * i);
	}
	return c;
}

void scr_ssh_chacha_free(struct scr_ssh_chacha *c)
{
	kfree_sensitive(c);
}

/* Nonce and counter are 64 bits each: the nonce is the sequence number. */
static void start(struct chacha_state *state, const u32 *key, u64 sequence,
		  u64 counter)
{
	u8 iv[CHACHA_IV_SIZE];

	put_unaligned_le64(counter, iv);
	put_unaligned_be64(sequence, iv + 8);
	chacha_init(scr_chacha_words(state), key, iv);
}

void scr_ssh_chacha_length(const struct scr_ssh_chacha *c, u64 sequence,
			   const u8 *in, u8 *out)
{
	struct chacha_state state;

	start(&state, c->length_key, sequence, 0);
	chacha20_crypt(scr_chacha_words(&state), out, in, LENGTH_FIELD);
	memzero_explicit(&state, sizeof(state));
}

static void tag_of(const struct scr_ssh_chacha *c, u64 sequence,
		   const u8 *frame, u32 len, u8 *tag)
{
	u8 key[POLY1305_KEY_SIZE] = {};
	struct poly1305_desc_ctx mac;
	struct chacha_state state;

	start(&state, c->payload_key, sequence, 0);
	chacha20_crypt(scr_chacha_words(&state), key, key, sizeof(key));
	poly1305_init(&mac, key);
	poly1305_update(&mac, frame, len);
	poly1305_final(&mac, tag);
	memzero_explicit(key, sizeof(key));
	memzero_explicit(&state, sizeof(state));
}

static void crypt(const struct scr_ssh_chacha *c, u64 sequence, u8 *frame,
		  u32 len)
{
	struct chacha_state state;

	start(&state, c->payload_key, sequence, 1);
	chacha20_crypt(scr_chacha_words(&state), frame + LENGTH_FIELD, frame + LENGTH_FIELD,
		       len - LENGTH_FIELD);
	memzero_explicit(&state, sizeof(state));
}

/* The tag goes behind the frame's `len` bytes. */
void scr_ssh_chacha_seal(const struct scr_ssh_chacha *c, u64 sequence,
			 u8 *frame, u32 len)
{
	scr_ssh_chacha_length(c, sequence, frame, frame);
	crypt(c, sequence, frame, len);
	tag_of(c, sequence, frame, len, frame + len);
}

bool scr_ssh_chacha_open(const struct scr_ssh_chacha *c, u64 sequence,
			 u8 *frame, u32 len)
{
	u8 tag[POLY1305_DIGEST_SIZE];

	tag_of(c, sequence, frame, len, tag);
	if (crypto_memneq(tag, frame + len, sizeof(tag)))
		return false;
	crypt(c, sequence, frame, len);
	return true;
}
