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
 * SO_CRYPT: the binary packets of SSH (RFC 4253 6).
 *
 *	packet_length | padding_length | payload | padding | mac
 *
 * The length is in clear with GCM (RFC 5647) and the -etm MACs; with
 * chacha20-poly1305@openssh.com and encrypt-and-MAC it is hidden by four bytes
 * of key stream, which are computed ahead: whether a whole packet is there must
 * be known where nobody can wait for a cipher.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

#include <crypto/aes.h>

static u_int32_t
so_crypt_get32(const u_int8_t *p)
{
	return ((u_int32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]);
}

static void
so_crypt_put32(u_int8_t *p, u_int32_t value)
{
	p[0] = value >> 24;
	p[1] = value >> 16;
	p[2] = value >> 8;
	p[3] = value;
}

/* Is the length field outside of what the MAC'd or encrypted blocks count? */
static int
so_crypt_ssh_apart(const struct so_crypt_key *sk)
{
	return (sk->sk_mac == NULL || (sk->sk_flags & SO_CRYPT_ETM));
}

static void
so_crypt_ssh_iv(const struct so_crypt_key *sk, u_int8_t *iv)
{
	u_int64_t be;

	switch (sk->sk_cipher->cc_mode) {
	case SO_CRYPT_MODE_GCM:
		be = htobe64(sk->sk_counter);
		memcpy(iv, &be, sizeof(be));
		break;
	case SO_CRYPT_MODE_CHACHASSH:
		be = htobe64(sk->sk_seq);
		memcpy(iv, &be, sizeof(be));
		break;
	default:
		memcpy(iv, sk->sk_iv, sk->sk_cipher->cc_ivlen);
		break;
	}
}

/*
 * Go on behind a packet of which the cipher took len bytes, ending at off.
 */
static int
so_crypt_ssh_next(struct so_crypt_key *sk, struct mbuf *m, u_int off, u_int len)
{
	u_int32_t carry;
	int i;

	switch (sk->sk_cipher->cc_mode) {
	case SO_CRYPT_MODE_GCM:
		sk->sk_counter++;
		break;
	case SO_CRYPT_MODE_CBC:
		/* m is NULL when the end was kept before it was decrypted. */
		if (m != NULL)
			m_copydata(m, off - sk->sk_cipher->cc_block,
			    sk->sk_cipher->cc_block, sk->sk_iv);
		break;
	case SO_CRYPT_MODE_CTR128:
		carry = len / sk->sk_cipher->cc_block;
		for (i = SO_CRYPT_MAX_IV - 1; i >= 0 && carry != 0; i--) {
			carry += sk->sk_iv[i];
			sk->sk_iv[i] = carry;
			carry >>= 8;
		}
		break;
	}
	sk->sk_seq = (u_int32_t)(sk->sk_seq + 1);
	return (so_crypt_ssh_mask(sk));
}

/*
 * Before the first packet.
 */
int
so_crypt_ssh_start(struct so_crypt_key *sk, const struct so_crypt_info *info)
{
	if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CBC && !sk->sk_write &&
	    !so_crypt_ssh_apart(sk)) {
		sk->sk_peek = malloc(sizeof(*sk->sk_peek), M_CRYPTO_DATA,
		    M_WAITOK | M_ZERO);
		AES_Setkey(sk->sk_peek, info->key, info->key_len);
	}
	return (so_crypt_ssh_mask(sk));
}

/*
 * Compute what hides the length of the next packet, if that is possible: with
 * CBC the packet itself has to be looked at.
 */
int
so_crypt_ssh_mask(struct so_crypt_key *sk)
{
	u_int8_t iv[SO_CRYPT_MAX_BLOCK];
	struct mbuf *m;
	int error;

	if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CBC ||
	    (sk->sk_cipher->cc_mode != SO_CRYPT_MODE_CHACHASSH &&
	    (so_crypt_ssh_apart(sk) || sk->sk_write)))
		return (0);

	MGETHDR(m, M_WAIT, MT_DATA);
	m->m_flags |= M_ZEROIZE;
	m->m_len = m->m_pkthdr.len = 64;
	memset(mtod(m, caddr_t), 0, m->m_len);
	so_crypt_ssh_iv(sk, iv);
	error = so_crypt_run_mask(sk, m, iv);
	if (error == 0)
		m_copydata(m, 0, sizeof(sk->sk_mask), sk->sk_mask);
	m_freem(m);
	return (error);
}

/*
 * The length of the whole packet that begins with header, of which there are
 * 16 bytes where sk_peek is set, else 4.
 */
int
so_crypt_ssh_len(const struct so_crypt_key *sk, const u_int8_t *header,
    u_int *lenp)
{
	u_int8_t block[SO_CRYPT_MAX_BLOCK];
	u_int32_t len;

	if (sk->sk_peek != NULL) {
		AES_Decrypt(sk->sk_peek, header, block);
		len = so_crypt_get32(block) ^ so_crypt_get32(sk->sk_iv);
	} else
		len = so_crypt_get32(header) ^ so_crypt_get32(sk->sk_mask);
	if (len > SO_CRYPT_SSH_MAX)
		return (EMSGSIZE);
	/* padding_length, one byte of payload, four of padding */
	if (len < 6 || (len + (so_crypt_ssh_apart(sk) ? 0 : 4)) %
	    sk->sk_cipher->cc_block != 0)
		return (EBADMSG);
	*lenp = 4 + len + sk->sk_tag;
	return (0);
}

/*
 * Make a packet of the chain m: an empty front mbuf, len bytes of payload and
 * the empty mbuf trail.  An error is final for the key, and m is worthless.
 */
int
so_crypt_ssh_seal(struct so_crypt_key *sk, struct mbuf *m, struct mbuf *trail,
    u_int len)
{
	u_int8_t front[9], iv[SO_CRYPT_MAX_BLOCK];
	int bs = sk->sk_cipher->cc_block, apart = so_crypt_ssh_apart(sk);
	int full = sk->sk_mac != NULL ? sk->sk_mac->cm_len : 16;
	int pad, error, i;
	u_int text;

	pad = bs - ((apart ? 0 : 4) + 1 + len) % bs;
	if (pad < 4)
		pad += bs;
	text = 1 + len + pad;
	arc4random_buf(mtod(trail, caddr_t), pad);
	trail->m_len = pad + full;
	m->m_pkthdr.len += len + trail->m_len;

	so_crypt_put32(front, sk->sk_seq);
	so_crypt_put32(front + 4, text);
	front[8] = pad;
	so_crypt_ssh_iv(sk, iv);

	if (sk->sk_mac == NULL) {
		for (i = 0; i < 4; i++)
			front[4 + i] ^= sk->sk_mask[i];
		so_crypt_front_put(m, front + 4, 5);
		so_crypt_want_cipher(sk, 0, 4, text, iv, 1);
		so_crypt_want_auth(sk, 1, 0, 4, 4 + text);
	} else {
		so_crypt_front_put(m, front, 9);
		/* The MAC of the ciphertext, or of the plain packet. */
		so_crypt_want_cipher(sk, apart ? 0 : 1, apart ? 8 : 4,
		    text + (apart ? 0 : 4), iv, 1);
		so_crypt_want_auth(sk, apart ? 1 : 0, 0, 8 + text, 8 + text);
	}
	if ((error = so_crypt_run(sk, m, 2)) != 0)
		return (error);
	if (sk->sk_mac != NULL)
		m_adj(m, 4);		/* the sequence number */
	trail->m_len -= full - sk->sk_tag;
	m->m_pkthdr.len -= full - sk->sk_tag;
	return (so_crypt_ssh_next(sk, m, 4 + text,
	    text + (apart ? 0 : 4)));
}

/*
 * Verify and decrypt.  m holds what came, tag cut off, behind the front mbuf,
 * in which is what the tag covers besides it.
 */
static int
so_crypt_ssh_decrypt(struct so_crypt_key *sk, struct mbuf *m, int plen,
    u_int text, const u_int8_t *tag)
{
	int apart = so_crypt_ssh_apart(sk), error;
	u_int8_t iv[SO_CRYPT_MAX_BLOCK];

	so_crypt_ssh_iv(sk, iv);
	if (sk->sk_mac == NULL) {
		so_crypt_want_auth(sk, 0, 0, plen, plen + text);
		so_crypt_want_cipher(sk, 1, plen, text, iv, 0);
		error = so_crypt_run(sk, m, 2);
	} else if (apart) {
		so_crypt_want_auth(sk, 0, 0, plen + text, plen + text);
		error = so_crypt_run(sk, m, 1);
	} else {
		if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CBC)
			m_copydata(m, plen + text - sk->sk_cipher->cc_block,
			    sk->sk_cipher->cc_block, sk->sk_iv);
		so_crypt_want_cipher(sk, 0, 4, plen - 4 + text, iv, 0);
		so_crypt_want_auth(sk, 1, 0, plen + text, plen + text);
		error = so_crypt_run(sk, m, 2);
	}
	if (error == 0)
		error = so_crypt_tag_check(m, plen + text, tag, sk->sk_tag);
	if (error != 0 || sk->sk_mac == NULL || !apart)
		return (error);

	/* Encrypt-then-MAC: verified, now decrypt. */
	if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CBC)
		m_copydata(m, plen + text - sk->sk_cipher->cc_block,
		    sk->sk_cipher->cc_block, sk->sk_iv);
	so_crypt_want_cipher(sk, 0, plen, text, iv, 0);
	return (so_crypt_run(sk, m, 1));
}

/*
 * Open the packet m: an empty front mbuf and what came behind the length.  On
 * success m holds the payload.  An error is final for the key.
 */
int
so_crypt_ssh_open(struct so_crypt_key *sk, const u_int8_t *header,
    struct mbuf *m)
{
	u_int8_t front[8], tag[SO_CRYPT_MAX_MAC], pad;
	int full = sk->sk_mac != NULL ? sk->sk_mac->cm_len : 16;
	int plen = sk->sk_mac != NULL ? 8 : 4, error;
	u_int text = m->m_pkthdr.len - sk->sk_tag;

	so_crypt_tag_take(m, sk->sk_tag, tag);
	so_crypt_put32(front, sk->sk_seq);
	memcpy(front + 4, header, 4);
	so_crypt_front_put(m, front + 8 - plen, plen);
	so_crypt_append(m, so_crypt_trail(full));

	error = so_crypt_ssh_decrypt(sk, m, plen, text, tag);
	if (error != 0)
		return (error);
	m_adj(m, -full);
	so_crypt_front_put(m, NULL, 0);

	m_copydata(m, 0, 1, &pad);
	if (pad < 4 || pad + 2 > text)
		return (EBADMSG);
	m_adj(m, 1);
	m_adj(m, -(int)pad);
	return (so_crypt_ssh_next(sk, NULL, 0,
	    text + (so_crypt_ssh_apart(sk) ? 0 : 4)));
}
