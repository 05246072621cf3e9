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
 * SO_CRYPT: write(2) and sendmsg(2) on an armed socket.
 *
 * sosend() calls here, with sblock() held and no mutex, where it would fetch
 * the caller's bytes.  What leaves here are whole frames in the order of their
 * sequence numbers.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/uio.h>
#include <sys/so_cryptvar.h>

/* Records of a type of their own are not cut by what fits into the buffer. */
#define SO_CRYPT_MAX_CONTROL	65536

/* A frame on its way. */
struct so_crypt_part {
	struct mbuf	*cp_front;
	struct mbuf	*cp_trail;
	u_int		 cp_len;	/* payload */
};

/*
 * The record type that a control message gives.
 */
static int
so_crypt_send_type(const struct so_crypt_key *sk, struct mbuf *control,
    u_int8_t *type)
{
	struct cmsghdr *cm;

	*type = SO_CRYPT_TYPE_DATA;
	if (control == NULL || control->m_len == 0)
		return (0);
	cm = mtod(control, struct cmsghdr *);
	if (sk->sk_protocol < SO_CRYPT_TLS_1_0 ||
	    sk->sk_protocol > SO_CRYPT_TLS_1_3 ||
	    control->m_next != NULL ||
	    control->m_len < CMSG_LEN(1) || control->m_len > CMSG_SPACE(1) ||
	    cm->cmsg_len != CMSG_LEN(1) ||
	    cm->cmsg_level != SO_CRYPT_SOL_CMSG ||
	    cm->cmsg_type != SO_CRYPT_SET_RECORD_TYPE)
		return (EINVAL);
	*type = *CMSG_DATA(cm);
	/* What the other side would refuse (RFC 8446 5, RFC 5246 6.2.1). */
	if (*type < 20 || *type > 24 ||
	    (*type == 20 && sk->sk_protocol == SO_CRYPT_TLS_1_3))
		return (EINVAL);
	return (0);
}

/*
 * Fetch the payload of one frame: from the caller, or off the front of src.
 */
static int
so_crypt_send_part(struct so_crypt_part *cp, struct uio *uio,
    struct mbuf *src, u_int len)
{
	struct mbuf *m;
	u_int off = 0;
	int error = 0;

	cp->cp_front = so_crypt_front();
	cp->cp_front->m_next = so_crypt_space(len);
	cp->cp_len = len;
	for (m = cp->cp_front->m_next; ; m = m->m_next) {
		if (uio == NULL)
			m_copydata(src, off, m->m_len, mtod(m, caddr_t));
		else if (error == 0)
			error = uiomove(mtod(m, caddr_t), m->m_len, uio);
		off += m->m_len;
		if (m->m_next == NULL)
			break;
	}
	if (uio == NULL)
		m_adj(src, len);
	MGET(cp->cp_trail, M_WAIT, MT_DATA);
	cp->cp_trail->m_len = 0;
	m->m_next = cp->cp_trail;
	return (error);
}

/*
 * How much the next frame takes.
 */
static u_int
so_crypt_send_len(const struct so_crypt_key *sk, size_t resid, int alone)
{
	/* TLS 1.0: nobody can choose what meets a known IV (BEAST). */
	if (alone && (sk->sk_frame.cf_flags & CF_CHAINED))
		return (1);
	return (ulmin(resid, sk->sk_max_payload));
}

/*
 * Turn resid bytes, or what of them there is space for, into frames.
 */
static int
so_crypt_send_frames(struct so_crypt *sc, struct mbuf **topp, long *space,
    size_t *resid, struct uio *uio, struct mbuf *src, u_int8_t type)
{
	struct so_crypt_key *sk = sc->sc_key;
	struct so_crypt_part part;
	struct mbuf *top = NULL, **mp = &top, *m;
	int error, first = 1, len = 0;
	int whole = uio == NULL || type != SO_CRYPT_TYPE_DATA;

	do {
		error = so_crypt_send_part(&part, uio, src,
		    so_crypt_send_len(sk, *resid,
		    first && type == SO_CRYPT_TYPE_DATA));
		if (error != 0) {
			m_freem(part.cp_front);
			if (first)
				goto fail;
			/* The frames before it have their numbers: send. */
			uio->uio_resid = *resid;
			sc->sc_short = 1;
			break;
		}
		m = part.cp_front;
		if (sk->sk_protocol == SO_CRYPT_SSH)
			error = so_crypt_ssh_seal(sk, m, part.cp_trail,
			    part.cp_len);
		else
			error = so_crypt_seal(sk, m, part.cp_trail,
			    part.cp_len, type);
		if (error != 0) {
			sc->sc_error = EIO;
			m_freem(m);
			goto fail;
		}
		sk->sk_frames++;
		first = 0;
		len += m->m_pkthdr.len;
		*space -= m->m_pkthdr.len;
		*resid -= part.cp_len;
		*mp = m;
		mp = &part.cp_trail->m_next;
		/* With frames on their way, this write is short, no error. */
		if (sk->sk_frames >= sk->sk_limit && *resid > 0) {
			sc->sc_short = 1;
			break;
		}
	} while (*resid > 0 && (*space > 0 || whole));

	top->m_pkthdr.len = len;
	*topp = top;
	return (0);

fail:
	m_freem(top);
	return (error);
}

/*
 * Take the place of m_getuio(): *topp becomes frames made of the caller's
 * bytes, or of the chain it was; *resid and *space are what is left.  Frames
 * are full as long as there are bytes, even where the last one exceeds space.
 */
int
so_crypt_send(struct socket *so, struct mbuf **topp, struct mbuf **controlp,
    long *space, size_t *resid, struct uio *uio, int flags)
{
	struct so_crypt *sc = so->so_snd.sb_crypt;
	struct so_crypt_key *sk = sc->sc_key;
	struct mbuf *src = NULL;
	u_int8_t type;
	int error;

	sbassertlocked(&so->so_snd);

	/* The write of which this is the rest ended with less: say so. */
	if (sc->sc_short != 0) {
		sc->sc_short = 0;
		return (EWOULDBLOCK);
	}
	if (sc->sc_error != 0)
		return (sc->sc_error);
	if (sk->sk_frames >= sk->sk_limit)
		return (SO_CRYPT_EKEYEXPIRED);
	if (flags & MSG_OOB)
		return (EOPNOTSUPP);
	if ((error = so_crypt_send_type(sk, *controlp, &type)) != 0)
		return (error);

	if (uio == NULL) {
		src = *topp;
		*resid = src->m_pkthdr.len;
	}
	if (*resid == 0 && type != SO_CRYPT_TYPE_DATA)
		return (EINVAL);
	if ((sk->sk_protocol == SO_CRYPT_SSH &&
	    *resid > sk->sk_max_payload) ||
	    (type != SO_CRYPT_TYPE_DATA && *resid > SO_CRYPT_MAX_CONTROL))
		return (EMSGSIZE);

	*topp = NULL;
	if (*resid == 0) {
		/* As without SO_CRYPT: nothing is sent. */
		*topp = so_crypt_front();
	} else {
		error = so_crypt_send_frames(sc, topp, space, resid, uio, src,
		    type);
	}
	if (error == 0) {
		m_freem(*controlp);
		*controlp = NULL;
	}
	m_freem(src);
	return (error);
}
