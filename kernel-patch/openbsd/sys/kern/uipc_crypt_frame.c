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
 * SO_CRYPT: frame layouts, of TLS and given by offsets.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

static void
so_crypt_put_be(u_int8_t *p, u_int64_t value, int size)
{
	while (size-- > 0) {
		p[size] = value;
		value >>= 8;
	}
}

/*
 * The record layout of a TLS version.
 */
static int
so_crypt_frame_tls(const struct so_crypt_info *info, struct so_crypt_key *sk)
{
	static const struct so_crypt_layout zero;
	static const u_int8_t minor[] = { 0, 1, 2, 3, 3 };
	struct so_crypt_frame *cf = &sk->sk_frame;
	struct so_crypt_layout *cl = &cf->cf_layout;
	int mode = sk->sk_cipher->cc_mode, bs = sk->sk_cipher->cc_block;
	int protocol = info->protocol, iv_len;

	if (memcmp(&info->layout, &zero, sizeof(zero)) != 0)
		return (EINVAL);

	cl->header[0] = SO_CRYPT_TYPE_DATA;
	cl->header[1] = 3;
	cl->header[2] = minor[protocol];
	cl->header_len = cl->length_bias = SO_CRYPT_TLS_HEADER;
	cl->length_offset = 3;
	cl->length_size = 2;
	cl->assoc_end = SO_CRYPT_TLS_HEADER;
	cl->nonce = SO_CRYPT_NONCE_XOR_SEQUENCE;
	cf->cf_max_payload = SO_CRYPT_TLS_MAX;
	iv_len = cl->fixed_iv = 12;

	if (protocol == SO_CRYPT_TLS_1_3) {
		if (mode == SO_CRYPT_MODE_CBC || (info->flags & SO_CRYPT_ETM))
			return (EINVAL);
		cf->cf_flags = CF_INNERTYPE;
		cf->cf_max_body = SO_CRYPT_TLS_MAX + 256;  /* RFC 8446 5.2 */
		return (info->iv_len == iv_len ? 0 : EINVAL);
	}

	/* seq_num || type || version || length (RFC 5246 6.2.3) */
	cl->assoc_sequence = 8;
	cf->cf_flags = CF_TYPE | CF_COVERED;
	cf->cf_max_body = SO_CRYPT_TLS_MAX + 2048;	/* RFC 5246 6.2.3 */
	if (mode == SO_CRYPT_MODE_CBC) {
		cl->order = info->flags & SO_CRYPT_ETM ?
		    SO_CRYPT_ORDER_ENCRYPT_THEN_MAC :
		    SO_CRYPT_ORDER_MAC_THEN_ENCRYPT;
		cl->padding = SO_CRYPT_PADDING_TLS;
		cl->nonce = SO_CRYPT_NONCE_EXPLICIT_RANDOM;
		cl->fixed_iv = 0;
		if (protocol == SO_CRYPT_TLS_1_0) {
			cf->cf_flags |= CF_CHAINED;
			iv_len = bs;
		} else {
			cl->explicit_iv = bs;
			iv_len = 0;
		}
		return (info->iv_len == iv_len ? 0 : EINVAL);
	}
	if (protocol != SO_CRYPT_TLS_1_2 || (info->flags & SO_CRYPT_ETM))
		return (EINVAL);
	if (mode == SO_CRYPT_MODE_GCM || mode == SO_CRYPT_MODE_CCM) {
		cl->nonce = SO_CRYPT_NONCE_EXPLICIT_COUNTER;	/* RFC 5288 3 */
		cl->fixed_iv = 4;
		cl->explicit_iv = 8;
		/* 12: the next explicit nonce follows the salt. */
		return (info->iv_len == 4 ||
		    (info->iv_len == 12 && sk->sk_write) ? 0 : EINVAL);
	}
	return (info->iv_len == iv_len ? 0 : EINVAL);
}

/*
 * Check a layout given by offsets.  Nonces that never repeat are its business:
 * only these shapes are accepted.
 */
static int
so_crypt_frame_custom(const struct so_crypt_info *info,
    struct so_crypt_key *sk)
{
	struct so_crypt_frame *cf = &sk->sk_frame;
	struct so_crypt_layout *cl = &cf->cf_layout;
	int mode = sk->sk_cipher->cc_mode, bs = sk->sk_cipher->cc_block;
	int aead = mode == SO_CRYPT_MODE_GCM || mode == SO_CRYPT_MODE_CCM ||
	    mode == SO_CRYPT_MODE_CHACHA;
	u_int64_t longest;
	size_t i;

	*cl = info->layout;
	for (i = 0; i < sizeof(cl->reserved); i++)
		if (cl->reserved[i] != 0)
			return (EINVAL);
	for (i = cl->header_len; i < sizeof(cl->header); i++)
		if (cl->header[i] != 0)
			return (EINVAL);
	if (info->flags != 0 ||
	    cl->header_len < 2 || cl->header_len > SO_CRYPT_MAX_HEADER ||
	    cl->length_size < 2 || cl->length_size > 4 ||
	    cl->length_offset + cl->length_size > cl->header_len ||
	    cl->length_bias > 65535)
		return (EINVAL);

	switch (cl->nonce) {
	case SO_CRYPT_NONCE_XOR_SEQUENCE:
		if (mode == SO_CRYPT_MODE_CBC || cl->fixed_iv != 12 ||
		    cl->explicit_iv != 0)
			return (EINVAL);
		break;
	case SO_CRYPT_NONCE_EXPLICIT_COUNTER:
		if (mode == SO_CRYPT_MODE_CBC || cl->fixed_iv != 4 ||
		    cl->explicit_iv != 8)
			return (EINVAL);
		break;
	case SO_CRYPT_NONCE_EXPLICIT_RANDOM:
		if (mode != SO_CRYPT_MODE_CBC || cl->fixed_iv != 0 ||
		    cl->explicit_iv != bs)
			return (EINVAL);
		break;
	default:
		return (EINVAL);
	}
	if (info->iv_len != cl->fixed_iv)
		return (EINVAL);
	if (aead ? cl->order != SO_CRYPT_ORDER_AEAD :
	    cl->order != SO_CRYPT_ORDER_MAC_THEN_ENCRYPT &&
	    cl->order != SO_CRYPT_ORDER_ENCRYPT_THEN_MAC)
		return (EINVAL);
	if (cl->padding != (mode == SO_CRYPT_MODE_CBC ?
	    SO_CRYPT_PADDING_TLS : SO_CRYPT_PADDING_NONE))
		return (EINVAL);
	if ((cl->assoc_sequence != 0 && cl->assoc_sequence != 4 &&
	    cl->assoc_sequence != 8) || cl->assoc_start > cl->assoc_end ||
	    cl->assoc_end > cl->header_len ||
	    (!aead && cl->assoc_end != cl->header_len))
		return (EINVAL);

	cf->cf_max_payload = sk->sk_max_payload;
	cf->cf_max_body = cl->explicit_iv + cf->cf_max_payload + sk->sk_tag +
	    (cl->padding == SO_CRYPT_PADDING_TLS ? 256 : 0);
	longest = (u_int64_t)cl->header_len + cf->cf_max_body;
	if (cl->length_bias > cl->header_len + cl->explicit_iv ||
	    longest - cl->length_bias >= 1ULL << (8 * cl->length_size))
		return (EINVAL);
	return (0);
}

/*
 * The layout of the frames that info asks for; sk_cipher and sk_tag are known.
 */
int
so_crypt_frame(const struct so_crypt_info *info, struct so_crypt_key *sk)
{
	if (info->protocol == SO_CRYPT_CUSTOM)
		return (so_crypt_frame_custom(info, sk));
	return (so_crypt_frame_tls(info, sk));
}

/*
 * Check a header that came in, and tell how long its whole frame is.
 */
int
so_crypt_frame_len(const struct so_crypt_frame *cf, const u_int8_t *header,
    u_int *lenp)
{
	const struct so_crypt_layout *cl = &cf->cf_layout;
	u_int64_t len = 0;
	int i, end = cl->length_offset + cl->length_size;

	for (i = 0; i < cl->header_len; i++) {
		if (i >= cl->length_offset && i < end)
			len = len << 8 | header[i];
		else if (i == 0 && (cf->cf_flags & CF_TYPE)) {
			/* change_cipher_spec ... heartbeat (RFC 6520) */
			if (header[0] < 20 || header[0] > 24)
				return (EBADMSG);
		} else if (header[i] != cl->header[i])
			return (EBADMSG);
	}
	len += cl->length_bias;
	if (len < cl->header_len)
		return (EBADMSG);
	if (len - cl->header_len > cf->cf_max_body)
		return (EMSGSIZE);
	*lenp = len;
	return (0);
}

/*
 * The header of a frame with body bytes behind it.
 */
void
so_crypt_frame_header(const struct so_crypt_frame *cf, u_int8_t type,
    u_int body, u_int8_t *header)
{
	const struct so_crypt_layout *cl = &cf->cf_layout;

	memcpy(header, cl->header, cl->header_len);
	if (cf->cf_flags & CF_TYPE)
		header[0] = type;
	so_crypt_put_be(header + cl->length_offset,
	    (u_int64_t)cl->header_len + body - cl->length_bias,
	    cl->length_size);
}

/*
 * Write what the MAC or tag covers before the payload; covered is the number
 * of bytes that follow it.  Returns its length.
 */
int
so_crypt_assoc(const struct so_crypt_frame *cf, const u_int8_t *header,
    u_int64_t seq, u_int covered, u_int8_t *out)
{
	const struct so_crypt_layout *cl = &cf->cf_layout;
	int n = cl->assoc_end - cl->assoc_start;

	so_crypt_put_be(out, seq, cl->assoc_sequence);
	memcpy(out + cl->assoc_sequence, header + cl->assoc_start, n);
	if (cf->cf_flags & CF_COVERED)
		so_crypt_put_be(out + cl->assoc_sequence + cl->length_offset -
		    cl->assoc_start, covered, cl->length_size);
	return (cl->assoc_sequence + n);
}
