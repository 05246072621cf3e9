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
 * SO_CRYPT: payload to frames, of any layout but SSH's.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

/*
 * The next frame's IV: what crypto(9) wants, and what the frame carries.
 */
static void
so_crypt_seal_iv(struct so_crypt_key *sk, u_int8_t *iv, u_int8_t *explicit)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	u_int64_t be;
	int i;

	switch (cf->cf_layout.nonce) {
	case SO_CRYPT_NONCE_XOR_SEQUENCE:
		be = htobe64(sk->sk_seq);
		memcpy(iv, &be, sizeof(be));
		for (i = 0; i < 8; i++)
			iv[i] ^= sk->sk_iv[4 + i];
		break;
	case SO_CRYPT_NONCE_EXPLICIT_COUNTER:
		be = htobe64(sk->sk_counter);
		memcpy(iv, &be, sizeof(be));
		memcpy(explicit, &be, sizeof(be));
		break;
	case SO_CRYPT_NONCE_EXPLICIT_RANDOM:
		if (cf->cf_flags & CF_CHAINED) {
			memcpy(iv, sk->sk_iv, sk->sk_cipher->cc_ivlen);
			break;
		}
		arc4random_buf(iv, sk->sk_cipher->cc_ivlen);
		memcpy(explicit, iv, cf->cf_layout.explicit_iv);
		break;
	}
}

/*
 * header | explicit IV | payload [ | type ] | tag
 */
static int
so_crypt_seal_aead(struct so_crypt_key *sk, struct mbuf *m,
    struct mbuf *trail, u_int len, u_int8_t type)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t prefix[SO_CRYPT_FRONT], iv[SO_CRYPT_MAX_BLOCK];
	u_int8_t *header, assoc[8 + SO_CRYPT_MAX_HEADER], tag[16] = { 0 };
	u_int text = len;
	int alen, plen, error;

	if (cf->cf_flags & CF_INNERTYPE) {
		*mtod(trail, u_int8_t *) = type;
		type = SO_CRYPT_TYPE_DATA;
		text++;
	}
	/* crypto(9) writes a whole tag. */
	trail->m_len = text - len + 16;
	m->m_pkthdr.len += len + trail->m_len;

	alen = cl->assoc_sequence + cl->assoc_end - cl->assoc_start;
	header = prefix + alen;
	so_crypt_frame_header(cf, type, cl->explicit_iv + text + sk->sk_tag,
	    header);
	so_crypt_assoc(cf, header, sk->sk_seq, text, assoc);
	memcpy(prefix, assoc, alen);
	plen = alen + cl->header_len;
	so_crypt_seal_iv(sk, iv, prefix + plen);
	plen += cl->explicit_iv;

	if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CCM) {
		error = so_crypt_ccm_seal(sk, m, iv, assoc, alen, text, tag);
		memcpy(mtod(trail, u_int8_t *) + text - len, tag, sizeof(tag));
	} else {
		so_crypt_front_put(m, prefix, plen);
		so_crypt_want_cipher(sk, 0, plen, text, iv, 1);
		so_crypt_want_auth(sk, 1, 0, alen, plen + text);
		error = so_crypt_run(sk, m, 2);
	}
	if (error != 0)
		return (error);

	so_crypt_front_put(m, header, plen - alen);
	trail->m_len -= 16 - sk->sk_tag;
	m->m_pkthdr.len -= 16 - sk->sk_tag;
	return (0);
}

/*
 * header | explicit IV | payload | MAC | padding, encrypted from the payload.
 * The MAC covers the associated data and the payload: while it is computed,
 * they are neighbours.
 */
static int
so_crypt_seal_mte(struct so_crypt_key *sk, struct mbuf *m,
    struct mbuf *trail, u_int len, u_int8_t type, int pad)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t header[SO_CRYPT_MAX_HEADER + SO_CRYPT_MAX_BLOCK];
	u_int8_t assoc[8 + SO_CRYPT_MAX_HEADER], iv[SO_CRYPT_MAX_BLOCK];
	int tag = sk->sk_tag, full = sk->sk_mac->cm_len;
	int bs = sk->sk_cipher->cc_block, junk, alen, error;
	u_int text = len + tag + pad;

	so_crypt_frame_header(cf, type, cl->explicit_iv + text, header);
	so_crypt_seal_iv(sk, iv, header + cl->header_len);
	alen = so_crypt_assoc(cf, header, sk->sk_seq, len, assoc);
	so_crypt_front_put(m, assoc, alen);

	/* CTR comes without padding; crypto(9) takes whole blocks of it. */
	junk = -text & (bs - 1);
	trail->m_len = MAX(full, tag + pad + junk);
	m->m_pkthdr.len += len + trail->m_len;
	so_crypt_want_auth(sk, 0, 0, alen + len, alen + len);
	if (tag < full) {
		/* What is cut off the MAC is where the padding goes. */
		if ((error = so_crypt_run(sk, m, 1)) != 0)
			return (error);
	}
	memset(mtod(trail, u_int8_t *) + tag, pad != 0 ? pad - 1 : 0,
	    pad + junk);
	so_crypt_want_cipher(sk, tag < full ? 0 : 1, alen, text + junk, iv, 1);
	if ((error = so_crypt_run(sk, m, tag < full ? 1 : 2)) != 0)
		return (error);

	m->m_pkthdr.len -= trail->m_len - (tag + pad);
	trail->m_len = tag + pad;
	so_crypt_front_put(m, header, cl->header_len + cl->explicit_iv);
	return (0);
}

/*
 * header | explicit IV | payload | padding | MAC over all of that
 */
static int
so_crypt_seal_etm(struct so_crypt_key *sk, struct mbuf *m,
    struct mbuf *trail, u_int len, u_int8_t type, int pad)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t header[SO_CRYPT_MAX_HEADER + SO_CRYPT_MAX_BLOCK];
	u_int8_t prefix[SO_CRYPT_FRONT], iv[SO_CRYPT_MAX_BLOCK];
	int tag = sk->sk_tag, full = sk->sk_mac->cm_len, eiv = cl->explicit_iv;
	int bs = sk->sk_cipher->cc_block, junk, plen, error;
	u_int text = len + pad;

	so_crypt_frame_header(cf, type, eiv + text + tag, header);
	so_crypt_seal_iv(sk, iv, header + cl->header_len);
	plen = so_crypt_assoc(cf, header, sk->sk_seq, eiv + text, prefix);
	memcpy(prefix + plen, header + cl->header_len, eiv);
	plen += eiv;
	so_crypt_front_put(m, prefix, plen);

	/* The MAC, which is computed later, is no shorter than the junk. */
	junk = -text & (bs - 1);
	memset(mtod(trail, u_int8_t *), pad != 0 ? pad - 1 : 0, pad + junk);
	trail->m_len = pad + full;
	m->m_pkthdr.len += len + trail->m_len;
	so_crypt_want_cipher(sk, 0, plen, text + junk, iv, 1);
	so_crypt_want_auth(sk, 1, 0, plen + text, plen + text);
	if ((error = so_crypt_run(sk, m, 2)) != 0)
		return (error);

	trail->m_len -= full - tag;
	m->m_pkthdr.len -= full - tag;
	so_crypt_front_put(m, header, cl->header_len + eiv);
	return (0);
}

/*
 * Make a frame of the chain m: an empty front mbuf, len bytes of payload, and
 * the empty mbuf trail.  An error is final for the key, and m is worthless.
 */
int
so_crypt_seal(struct so_crypt_key *sk, struct mbuf *m, struct mbuf *trail,
    u_int len, u_int8_t type)
{
	const struct so_crypt_layout *cl = &sk->sk_frame.cf_layout;
	int bs = sk->sk_cipher->cc_block, pad = 0, error;

	switch (cl->order) {
	case SO_CRYPT_ORDER_MAC_THEN_ENCRYPT:
		if (cl->padding)
			pad = bs - (len + sk->sk_tag) % bs;
		error = so_crypt_seal_mte(sk, m, trail, len, type, pad);
		break;
	case SO_CRYPT_ORDER_ENCRYPT_THEN_MAC:
		if (cl->padding)
			pad = bs - len % bs;
		error = so_crypt_seal_etm(sk, m, trail, len, type, pad);
		break;
	default:
		error = so_crypt_seal_aead(sk, m, trail, len, type);
		break;
	}
	if (error != 0)
		return (error);

	if (sk->sk_frame.cf_flags & CF_CHAINED) {
		int off = m->m_pkthdr.len - bs;

		if (cl->order == SO_CRYPT_ORDER_ENCRYPT_THEN_MAC)
			off -= sk->sk_tag;
		m_copydata(m, off, bs, sk->sk_iv);
	}
	sk->sk_seq++;
	sk->sk_counter++;
	return (0);
}
