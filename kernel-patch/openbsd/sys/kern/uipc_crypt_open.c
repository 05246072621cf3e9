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
 * SO_CRYPT: frames to payload, of any layout but SSH's.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

/*
 * An mbuf for what crypto(9) computes behind a frame.
 */
struct mbuf *
so_crypt_trail(int len)
{
	struct mbuf *m;

	MGET(m, M_WAIT, MT_DATA);
	m->m_len = len;
	memset(mtod(m, caddr_t), 0, len);
	return (m);
}

/*
 * Take the tag off the end of m, into tag.
 */
void
so_crypt_tag_take(struct mbuf *m, int len, u_int8_t *tag)
{
	m_copydata(m, m->m_pkthdr.len - len, len, tag);
	m_adj(m, -len);
}

/*
 * Compare what crypto(9) has computed at off with what came.
 */
int
so_crypt_tag_check(struct mbuf *m, int off, const u_int8_t *tag, int len)
{
	u_int8_t computed[SO_CRYPT_MAX_MAC];

	m_copydata(m, off, len, computed);
	return (timingsafe_bcmp(computed, tag, len) == 0 ? 0 : EBADMSG);
}

/*
 * The IV of a frame that came in; an explicit one is taken off m.
 */
static void
so_crypt_open_iv(struct so_crypt_key *sk, struct mbuf *m, u_int8_t *iv,
    u_int8_t *explicit)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int64_t be;
	int i;

	if (cf->cf_flags & CF_CHAINED) {
		memcpy(iv, sk->sk_iv, sk->sk_cipher->cc_ivlen);
	} else if (cl->nonce == SO_CRYPT_NONCE_XOR_SEQUENCE) {
		be = htobe64(sk->sk_seq);
		memcpy(iv, &be, sizeof(be));
		for (i = 0; i < 8; i++)
			iv[i] ^= sk->sk_iv[4 + i];
	} else {
		m_copydata(m, 0, cl->explicit_iv, explicit);
		memcpy(iv, explicit, cl->explicit_iv);
		m_adj(m, cl->explicit_iv);
	}
}

/*
 * TLS 1.3: the type is the last byte that is not 0 (RFC 8446 5.4).
 */
static int
so_crypt_open_type(struct mbuf *m, u_int8_t *type)
{
	struct mbuf *n;
	int end = m->m_pkthdr.len, at = -1, off = 0, i;
	u_int8_t last;

	m_copydata(m, end - 1, 1, &last);
	if (last != 0)
		at = end - 1;
	else for (n = m; n != NULL; n = n->m_next) {
		for (i = 0; i < n->m_len; i++)
			if (mtod(n, u_int8_t *)[i] != 0)
				at = off + i;
		off += n->m_len;
	}
	if (at < 0)
		return (EBADMSG);
	m_copydata(m, at, 1, type);
	m_adj(m, at - end);
	return (0);
}

static int
so_crypt_open_aead(struct so_crypt_key *sk, const u_int8_t *header,
    struct mbuf *m, u_int8_t *type)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t assoc[8 + SO_CRYPT_MAX_HEADER], tag[SO_CRYPT_MAX_MAC];
	u_int8_t iv[SO_CRYPT_MAX_BLOCK], explicit[SO_CRYPT_MAX_BLOCK];
	int alen, text, error;

	text = m->m_pkthdr.len - cl->explicit_iv - sk->sk_tag;
	if (text < ((cf->cf_flags & CF_INNERTYPE) ? 1 : 0))
		return (EBADMSG);
	so_crypt_tag_take(m, sk->sk_tag, tag);
	so_crypt_open_iv(sk, m, iv, explicit);

	alen = so_crypt_assoc(cf, header, sk->sk_seq, text, assoc);
	so_crypt_append(m, so_crypt_trail(16));
	if (sk->sk_cipher->cc_mode == SO_CRYPT_MODE_CCM) {
		error = so_crypt_ccm_open(sk, m, iv, assoc, alen, text, tag);
	} else {
		so_crypt_front_put(m, assoc, alen);
		so_crypt_want_auth(sk, 0, 0, alen, alen + text);
		so_crypt_want_cipher(sk, 1, alen, text, iv, 0);
		if ((error = so_crypt_run(sk, m, 2)) == 0)
			error = so_crypt_tag_check(m, alen + text, tag,
			    sk->sk_tag);
	}
	if (error != 0)
		return (error);
	m_adj(m, -16);
	so_crypt_front_put(m, NULL, 0);

	if (cf->cf_flags & CF_INNERTYPE) {
		/* RFC 8446 5.4: with its padding, too */
		if (text > cf->cf_max_payload + 1)
			return (EMSGSIZE);
		return (so_crypt_open_type(m, type));
	}
	return (0);
}

static int
so_crypt_open_mte(struct so_crypt_key *sk, const u_int8_t *header,
    struct mbuf *m)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t assoc[8 + SO_CRYPT_MAX_HEADER], *text;
	u_int8_t iv[SO_CRYPT_MAX_BLOCK], explicit[SO_CRYPT_MAX_BLOCK];
	int bs = sk->sk_cipher->cc_block, alen, junk, len, error;
	u_int paylen;

	len = m->m_pkthdr.len - cl->explicit_iv;
	if (len < sk->sk_tag + (cl->padding ? 1 : 0) ||
	    (cl->padding && len % bs != 0))
		return (EBADMSG);
	so_crypt_open_iv(sk, m, iv, explicit);
	if (cf->cf_flags & CF_CHAINED)
		m_copydata(m, len - bs, bs, sk->sk_iv);

	junk = -len & (bs - 1);
	if (junk != 0)
		so_crypt_append(m, so_crypt_trail(junk));
	so_crypt_want_cipher(sk, 0, 0, len + junk, iv, 0);
	if ((error = so_crypt_run(sk, m, 1)) != 0)
		return (error);

	/* Lucky Thirteen: how long the payload is, is a secret until here. */
	alen = so_crypt_assoc(cf, header, sk->sk_seq, 0, assoc);
	text = malloc(len, M_TEMP, M_WAITOK);
	m_copydata(m, 0, len, text);
	error = so_crypt_mte_check(sk->sk_hash, assoc, alen, text, len,
	    cl->padding, sk->sk_tag, cf->cf_flags & CF_COVERED ?
	    cl->assoc_sequence + cl->length_offset - cl->assoc_start : -1,
	    &paylen);
	explicit_bzero(text, len);
	free(text, M_TEMP, len);
	if (error == 0)
		m_adj(m, (int)paylen - (len + junk));
	return (error);
}

static int
so_crypt_open_etm(struct so_crypt_key *sk, const u_int8_t *header,
    struct mbuf *m)
{
	const struct so_crypt_frame *cf = &sk->sk_frame;
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int8_t prefix[SO_CRYPT_FRONT], tag[SO_CRYPT_MAX_MAC];
	u_int8_t iv[SO_CRYPT_MAX_BLOCK], explicit[SO_CRYPT_MAX_BLOCK];
	u_int8_t end[256];
	int bs = sk->sk_cipher->cc_block, full = sk->sk_mac->cm_len;
	int eiv = cl->explicit_iv, plen, text, pad, i, error;

	text = m->m_pkthdr.len - eiv - sk->sk_tag;
	if (text < (cl->padding ? bs : 0) || (cl->padding && text % bs != 0))
		return (EBADMSG);
	so_crypt_tag_take(m, sk->sk_tag, tag);
	so_crypt_open_iv(sk, m, iv, explicit);

	plen = so_crypt_assoc(cf, header, sk->sk_seq, eiv + text, prefix);
	memcpy(prefix + plen, explicit, eiv);
	plen += eiv;
	so_crypt_front_put(m, prefix, plen);
	so_crypt_append(m, so_crypt_trail(full));
	so_crypt_want_auth(sk, 0, 0, plen + text, plen + text);
	if ((error = so_crypt_run(sk, m, 1)) != 0 ||
	    (error = so_crypt_tag_check(m, plen + text, tag, sk->sk_tag)) != 0)
		return (error);

	/* Verified; the MAC's place is the rest of CTR's last block. */
	if (cf->cf_flags & CF_CHAINED)
		m_copydata(m, plen + text - bs, bs, sk->sk_iv);
	if (text != 0) {
		so_crypt_want_cipher(sk, 0, plen, roundup(text, bs), iv, 0);
		if ((error = so_crypt_run(sk, m, 1)) != 0)
			return (error);
	}
	m_adj(m, -full);
	so_crypt_front_put(m, NULL, 0);
	if (!cl->padding)
		return (0);

	/* The peer made the padding: no secret. */
	m_copydata(m, text - 1, 1, end);
	pad = end[0];
	if (pad >= text)
		return (EBADMSG);
	m_copydata(m, text - 1 - pad, pad, end);
	for (i = 0; i < pad; i++)
		if (end[i] != pad)
			return (EBADMSG);
	m_adj(m, -(pad + 1));
	return (0);
}

/*
 * Verify and decrypt the frame m: an empty front mbuf and what came behind the
 * header.  On success m holds the payload.  An error is final for the key.
 */
int
so_crypt_open(struct so_crypt_key *sk, const u_int8_t *header, struct mbuf *m,
    u_int8_t *type)
{
	int error;

	*type = SO_CRYPT_TYPE_DATA;
	if (sk->sk_frame.cf_flags & CF_TYPE)
		*type = header[0];

	switch (sk->sk_frame.cf_layout.order) {
	case SO_CRYPT_ORDER_MAC_THEN_ENCRYPT:
		error = so_crypt_open_mte(sk, header, m);
		break;
	case SO_CRYPT_ORDER_ENCRYPT_THEN_MAC:
		error = so_crypt_open_etm(sk, header, m);
		break;
	default:
		error = so_crypt_open_aead(sk, header, m, type);
		break;
	}
	if (error == 0 && m->m_pkthdr.len > sk->sk_frame.cf_max_payload)
		error = EMSGSIZE;
	sk->sk_seq++;
	return (error);
}

/*
 * Does the payload end the use of the keys: a TLS 1.3 KeyUpdate, an SSH
 * NEWKEYS?  Handshake messages may go on from record to record.
 */
int
so_crypt_last(struct so_crypt *sc, struct mbuf *m)
{
	u_int8_t b;
	u_int off = 0, len = m->m_pkthdr.len, n;
	int found = 0;

	if (sc->sc_key->sk_protocol == SO_CRYPT_SSH) {
		m_copydata(m, 0, 1, &b);
		return (b == SO_CRYPT_SSH_NEWKEYS);
	}
	if (sc->sc_key->sk_protocol != SO_CRYPT_TLS_1_3 ||
	    sc->sc_type != SO_CRYPT_TYPE_HANDSHAKE)
		return (0);
	while (off < len) {
		if (sc->sc_hslen < 4) {
			m_copydata(m, off++, 1, &sc->sc_hs[sc->sc_hslen++]);
			if (sc->sc_hslen < 4)
				continue;
			sc->sc_hsleft = sc->sc_hs[1] << 16 |
			    sc->sc_hs[2] << 8 | sc->sc_hs[3];
		} else {
			n = ulmin(sc->sc_hsleft, len - off);
			sc->sc_hsleft -= n;
			off += n;
		}
		if (sc->sc_hsleft > 0)
			continue;
		/* The message is complete. */
		if (sc->sc_hs[0] == SO_CRYPT_HS_KEYUPDATE)
			found = 1;
		sc->sc_hslen = 0;
	}
	return (found);
}
