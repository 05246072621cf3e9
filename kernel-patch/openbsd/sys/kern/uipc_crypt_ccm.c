/*
 * Copyright (c) 2026 The so-crypt authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * SO_CRYPT: AES-CCM (RFC 3610, RFC 6655), of AES-CTR and a CBC-MAC: crypto(9)
 * has no AEAD cipher whose tag is that of the plain text.
 *
 * Before the payload stands what the MAC covers besides it, in whole blocks.
 * The MAC takes the place of the last of them as soon as it is computed, and
 * so the key stream falls on it from block 0 and on the payload from block 1.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

#define CCM_BLOCK	16
#define CCM_LENGTH	3		/* bytes of length: the nonce has 12 */

/*
 * B_0, and the associated data with its length.  Returns the bytes of it.
 */
static int
so_crypt_ccm_front(int tag, const u_int8_t *nonce, const u_int8_t *assoc,
    int alen, u_int text, u_int8_t *front)
{
	memset(front, 0, SO_CRYPT_FRONT);
	front[0] = (alen != 0 ? 0x40 : 0) | (tag - 2) / 2 << 3 |
	    (CCM_LENGTH - 1);
	memcpy(front + 1, nonce, 15 - CCM_LENGTH);
	front[13] = text >> 16;
	front[14] = text >> 8;
	front[15] = text;
	if (alen == 0)
		return (CCM_BLOCK);
	front[17] = alen;
	memcpy(front + 18, assoc, alen);
	return (roundup(18 + alen, CCM_BLOCK));
}

/*
 * The nonce: what crypto(9) is given as IV of other ciphers, behind the salt.
 */
static void
so_crypt_ccm_nonce(const struct so_crypt_key *sk, const u_int8_t *iv,
    u_int8_t *nonce)
{
	memcpy(nonce, sk->sk_iv, 4);
	memcpy(nonce + 4, iv, 8);
}

/* A_0, the first block of the counter. */
static void
so_crypt_ccm_counter(const u_int8_t *nonce, u_int8_t *block)
{
	memset(block, 0, CCM_BLOCK);
	block[0] = CCM_LENGTH - 1;
	memcpy(block + 1, nonce, 15 - CCM_LENGTH);
}

/*
 * Encrypt text bytes behind the front mbuf of m, and give the tag.  16 bytes
 * follow them that may be overwritten.
 */
int
so_crypt_ccm_seal(struct so_crypt_key *sk, struct mbuf *m, const u_int8_t *iv,
    const u_int8_t *assoc, int alen, u_int text, u_int8_t *tag)
{
	u_int8_t front[SO_CRYPT_FRONT], nonce[12], counter[CCM_BLOCK];
	int plen, error;

	so_crypt_ccm_nonce(sk, iv, nonce);
	so_crypt_ccm_counter(nonce, counter);
	plen = so_crypt_ccm_front(sk->sk_tag, nonce, assoc, alen, text, front);
	so_crypt_front_put(m, front, plen);

	so_crypt_want_auth(sk, 0, 0, plen + text, plen - CCM_BLOCK);
	so_crypt_want_cipher(sk, 1, plen - CCM_BLOCK,
	    CCM_BLOCK + roundup(text, CCM_BLOCK), counter, 1);
	if ((error = so_crypt_run(sk, m, 2)) == 0)
		m_copydata(m, plen - CCM_BLOCK, CCM_BLOCK, tag);
	return (error);
}

/*
 * The other way, and verify: 16 bytes follow the text that may be overwritten.
 */
int
so_crypt_ccm_open(struct so_crypt_key *sk, struct mbuf *m, const u_int8_t *iv,
    const u_int8_t *assoc, int alen, u_int text, const u_int8_t *tag)
{
	u_int8_t front[SO_CRYPT_FRONT], nonce[12], counter[CCM_BLOCK];
	u_int8_t last[CCM_BLOCK], plain[CCM_BLOCK];
	int plen, error;

	so_crypt_ccm_nonce(sk, iv, nonce);
	so_crypt_ccm_counter(nonce, counter);
	plen = so_crypt_ccm_front(sk->sk_tag, nonce, assoc, alen, text, front);
	memcpy(last, front + plen - CCM_BLOCK, CCM_BLOCK);
	memset(front + plen - CCM_BLOCK, 0, CCM_BLOCK);
	memcpy(front + plen - CCM_BLOCK, tag, sk->sk_tag);
	so_crypt_front_put(m, front, plen);
	so_crypt_want_cipher(sk, 0, plen - CCM_BLOCK,
	    CCM_BLOCK + roundup(text, CCM_BLOCK), counter, 0);
	if ((error = so_crypt_run(sk, m, 1)) != 0)
		return (error);

	m_copydata(m, plen - CCM_BLOCK, CCM_BLOCK, plain);
	memcpy(front + plen - CCM_BLOCK, last, CCM_BLOCK);
	so_crypt_front_put(m, front, plen);
	so_crypt_want_auth(sk, 0, 0, plen + text, plen + text);
	if ((error = so_crypt_run(sk, m, 1)) != 0)
		return (error);
	return (so_crypt_tag_check(m, plen + text, plain, sk->sk_tag));
}
