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
 * SO_CRYPT: read(2) and recvmsg(2) on an armed socket.
 *
 * Bytes pass through three places: the socket buffer, where the network
 * appends; sc_raw, which so_crypt_pull() fills until a frame is whole; and
 * sc_clear, the payload of one frame that was verified.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/protosw.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/uio.h>
#include <sys/so_cryptvar.h>

#define SBLOCKWAIT(f)	(((f) & MSG_DONTWAIT) ? 0 : SBL_WAIT)

static int
so_crypt_header_len(const struct so_crypt_key *sk)
{
	return (sk->sk_protocol == SO_CRYPT_SSH ? 4 :
	    sk->sk_frame.cf_layout.header_len);
}

/*
 * How much of a frame tells its length.
 */
static int
so_crypt_peek_len(const struct so_crypt_key *sk)
{
	return (sk->sk_peek != NULL ? SO_CRYPT_MAX_BLOCK :
	    so_crypt_header_len(sk));
}

/*
 * Can a reader go on without waiting?
 */
int
so_crypt_ready(const struct so_crypt *sc)
{
	return (sc->sc_clearlen > 0 || sc->sc_error != 0 || sc->sc_rekey ||
	    sc->sc_busy || (sc->sc_need != 0 && sc->sc_rawlen >= sc->sc_need));
}

/*
 * The stream is no good.  SSH with CBC and a MAC of the plain text: when that
 * is told must not depend on the length, of which whoever forges packets would
 * learn bits (CVE-2008-5161); so only when as much has come as a packet can
 * have at most.  used: bytes of this one that are not in sc_raw any more.
 */
static void
so_crypt_fail(struct so_crypt *sc, int error, u_int used)
{
	u_int most = 4 + SO_CRYPT_SSH_MAX + sc->sc_key->sk_tag;

	if (sc->sc_key->sk_peek == NULL ||
	    (error != EBADMSG && error != EMSGSIZE)) {
		sc->sc_error = error;
		return;
	}
	used += sc->sc_rawlen;
	if (used < most)
		sc->sc_discard = most - used;
	else
		sc->sc_error = EBADMSG;
	m_freem(sc->sc_raw);
	sc->sc_raw = sc->sc_rawtail = NULL;
	sc->sc_rawlen = sc->sc_need = 0;
}

/*
 * Move mbufs out of the socket buffer until a frame is whole.  A frame may be
 * longer than the buffer, whose space opens the window again.  Called by the
 * network, too: neither sleeps nor allocates.
 */
void
so_crypt_pull(struct socket *so, struct so_crypt *sc)
{
	struct sockbuf *sb = &so->so_rcv;
	struct so_crypt_key *sk = sc->sc_key;
	u_int8_t header[SO_CRYPT_MAX_HEADER];
	int hlen = so_crypt_peek_len(sk), error;
	struct mbuf *m;

	MUTEX_ASSERT_LOCKED(&sb->sb_mtx);

	while (sc->sc_error == 0 && !sc->sc_rekey && !sc->sc_busy) {
		if (sc->sc_need == 0 && sc->sc_rawlen >= hlen) {
			m_copydata(sc->sc_raw, 0, hlen, header);
			if (sk->sk_protocol == SO_CRYPT_SSH)
				error = so_crypt_ssh_len(sk, header,
				    &sc->sc_need);
			else
				error = so_crypt_frame_len(&sk->sk_frame,
				    header, &sc->sc_need);
			if (error != 0) {
				so_crypt_fail(sc, error, 0);
				continue;
			}
		}
		if (sc->sc_need != 0 && sc->sc_rawlen >= sc->sc_need)
			break;
		if ((m = sb->sb_mb) == NULL)
			break;

		sbfree(sb, m);
		sb->sb_mb = m->m_next;
		m->m_next = NULL;
		sb->sb_lastrecord = sb->sb_mb;
		if (sb->sb_mb == NULL)
			sb->sb_mbtail = NULL;
		/* Marks in the ciphertext mean nothing. */
		so->so_oobmark = 0;
		sb->sb_state &= ~SS_RCVATMARK;
		if (sc->sc_discard > 0) {
			sc->sc_pulled = 1;
			if (m->m_len >= sc->sc_discard)
				sc->sc_error = EBADMSG;
			else
				sc->sc_discard -= m->m_len;
		}
		if (m->m_len == 0 || sc->sc_discard > 0) {
			m_free(m);
			continue;
		}
		if (sc->sc_raw == NULL)
			sc->sc_raw = m;
		else
			sc->sc_rawtail->m_next = m;
		sc->sc_rawtail = m;
		sc->sc_rawlen += m->m_len;
		sc->sc_pulled = 1;
	}
}

/*
 * Take the frame off sc_raw: a front mbuf and all behind the header, which goes
 * to header.  The mutex is released on the way; only its end can grow.
 */
static struct mbuf *
so_crypt_take(struct socket *so, struct so_crypt *sc, u_int8_t *header)
{
	int hlen = so_crypt_header_len(sc->sc_key);
	u_int need = sc->sc_need, left = need, off = 0;
	struct mbuf *front, *cut = NULL, *m, *last;

	/* How much of the frame's last mbuf is the frame's? */
	for (m = sc->sc_raw; left > m->m_len; m = m->m_next)
		left -= m->m_len;
	if (left == m->m_len)
		left = 0;

	mtx_leave(&so->so_rcv.sb_mtx);
	front = so_crypt_front();
	if (left > 0)
		cut = so_crypt_space(left);
	mtx_enter(&so->so_rcv.sb_mtx);

	m_copydata(sc->sc_raw, 0, hlen, header);
	last = front;
	for (off = 0; off + left < need; off += m->m_len) {
		m = sc->sc_raw;
		sc->sc_raw = m->m_next;
		last->m_next = m;
		m->m_next = NULL;
		last = m;
	}
	last->m_next = cut;
	for (off = 0; cut != NULL; cut = cut->m_next) {
		m_copydata(sc->sc_raw, off, cut->m_len, mtod(cut, caddr_t));
		off += cut->m_len;
	}
	m_adj(sc->sc_raw, left);
	if (sc->sc_raw == NULL)
		sc->sc_rawtail = NULL;
	sc->sc_rawlen -= need;
	sc->sc_need = 0;

	front->m_pkthdr.len = need;
	m_adj(front, hlen);
	return (front);
}

/*
 * Open the next frame, which is whole.  Called and returns with the mutex held.
 */
static void
so_crypt_next(struct socket *so, struct so_crypt *sc)
{
	struct so_crypt_key *sk = sc->sc_key;
	u_int8_t header[SO_CRYPT_MAX_HEADER];
	struct mbuf *m;
	u_int need = sc->sc_need;
	int error = 0, rekey = 0;

	if (sk->sk_frames >= sk->sk_limit) {
		sc->sc_rekey = 1;
		return;
	}
	/* Pollers must not fall asleep over what is on its way. */
	sc->sc_busy = 1;
	m = so_crypt_take(so, sc, header);
	mtx_leave(&so->so_rcv.sb_mtx);

	so_crypt_own(m);
	if (sk->sk_protocol == SO_CRYPT_SSH) {
		sc->sc_type = SO_CRYPT_TYPE_DATA;
		error = so_crypt_ssh_open(sk, header, m);
	} else {
		error = so_crypt_open(sk, header, m, &sc->sc_type);
		/* Only application data may be empty (RFC 8446 5.1). */
		if (error == 0 && m->m_pkthdr.len == 0 &&
		    sc->sc_type != SO_CRYPT_TYPE_DATA)
			error = EBADMSG;
	}
	if (error == 0) {
		sk->sk_frames++;
		rekey = so_crypt_last(sc, m);
	}
	if (error != 0 || m->m_pkthdr.len == 0) {
		m_freem(m);
		m = NULL;
	}

	mtx_enter(&so->so_rcv.sb_mtx);
	sc->sc_busy = 0;
	if (error != 0)
		so_crypt_fail(sc, error, need);
	else if (m != NULL) {
		sc->sc_clear = m;
		sc->sc_clearlen = m->m_pkthdr.len;
	}
	sc->sc_rekey = rekey;
	so_crypt_pull(so, sc);
}

/*
 * Have something to read in sc_clear, or find out why there is nothing.  More
 * is 1 behind bytes already read: errors wait for the next read.  0 with
 * nothing in sc_clear is the end.  Called and returns with the mutex held.
 */
static int
so_crypt_fill(struct socket *so, struct so_crypt *sc, int more)
{
	struct sockbuf *sb = &so->so_rcv;
	int error;

	while (sc->sc_clearlen == 0) {
		so_crypt_pull(so, sc);
		if (sc->sc_error != 0)
			return (sc->sc_error);
		if (sc->sc_rekey)
			return (SO_CRYPT_EKEYEXPIRED);
		if (sc->sc_need != 0 && sc->sc_rawlen >= sc->sc_need) {
			so_crypt_next(so, sc);
			continue;
		}
		if ((error = READ_ONCE(so->so_error)) != 0) {
			if (!more)
				so->so_error = 0;
			return (error);
		}
		if (sb->sb_state & SS_CANTRCVMORE) {
			/* Whoever cut the stream here is no peer of ours. */
			if (sc->sc_discard > 0)
				sc->sc_error = EBADMSG;
			else if (sc->sc_rawlen > 0)
				sc->sc_error = ECONNABORTED;
			return (sc->sc_error);
		}
		if ((so->so_state & (SS_ISCONNECTED|SS_ISCONNECTING)) == 0)
			return (ENOTCONN);
		return (EWOULDBLOCK);
	}
	return (0);
}

/*
 * Take len bytes, no more than there are, off sc_clear, for a caller in the
 * kernel.
 */
static struct mbuf *
so_crypt_split(struct so_crypt *sc, u_int len)
{
	struct mbuf *top, *m;
	u_int off = 0;

	if (len == sc->sc_clearlen) {
		top = sc->sc_clear;
		sc->sc_clear = NULL;
		return (top);
	}
	top = so_crypt_space(len);
	for (m = top; m != NULL; m = m->m_next) {
		m_copydata(sc->sc_clear, off, m->m_len, mtod(m, caddr_t));
		off += m->m_len;
	}
	m_adj(sc->sc_clear, len);
	return (top);
}

/*
 * Give out bytes of sc_clear.  Called and returns with the mutex held; sblock()
 * keeps other readers away while it is released.
 */
static int
so_crypt_give(struct socket *so, struct so_crypt *sc, struct uio *uio,
    struct mbuf ***mpp, int peek)
{
	struct sockbuf *sb = &so->so_rcv;
	u_int len = ulmin(uio->uio_resid, sc->sc_clearlen), left = len, n;
	size_t resid = uio->uio_resid;
	struct mbuf *m;
	int error = 0;

	mtx_leave(&sb->sb_mtx);
	if (*mpp != NULL && !peek) {
		**mpp = so_crypt_split(sc, len);
		while (**mpp != NULL)
			*mpp = &(**mpp)->m_next;
		uio->uio_resid -= len;
	} else {
		for (m = sc->sc_clear; left > 0 && error == 0; m = m->m_next) {
			n = ulmin(m->m_len, left);
			if (*mpp == NULL)
				error = uiomove(mtod(m, caddr_t), n, uio);
			else
				uio->uio_resid -= n;
			left -= n;
		}
		if (error == 0 && !peek)
			m_adj(sc->sc_clear, len);
	}
	/* Free what was read early: bytes of a long frame may stay. */
	while (error == 0 && !peek && (m = sc->sc_clear) != NULL &&
	    (m->m_len == 0 || len == sc->sc_clearlen))
		sc->sc_clear = m_free(m);
	mtx_enter(&sb->sb_mtx);

	if (error != 0)
		uio->uio_resid = resid;
	else if (!peek)
		sc->sc_clearlen -= len;
	return (error);
}

/*
 * Tell the protocol that there is room again.
 */
static void
so_crypt_rcvd(struct socket *so, struct so_crypt *sc)
{
	sc->sc_pulled = 0;
	mtx_leave(&so->so_rcv.sb_mtx);
	solock_shared(so);
	pru_rcvd(so);
	sounlock_shared(so);
	mtx_enter(&so->so_rcv.sb_mtx);
}

/*
 * Read on while there is something to read and it may be read together.
 * Called and returns with sblock() and the mutex held.
 */
static int
so_crypt_read(struct socket *so, struct so_crypt *sc, struct uio *uio,
    struct mbuf ***mpp, struct mbuf **controlp, size_t orig, int *flags)
{
	int tls = sc->sc_key->sk_protocol != SO_CRYPT_SSH;
	int error, data, more, peek = *flags & MSG_PEEK;
	struct mbuf *cm;

	do {
		more = uio->uio_resid < orig;
		error = so_crypt_fill(so, sc, more || peek);
		if (error != 0 || sc->sc_clearlen == 0)
			return (error);

		data = sc->sc_type == SO_CRYPT_TYPE_DATA;
		if (!data && (more || controlp == NULL))
			return (more ? 0 : EIO);
		if (controlp != NULL && *controlp == NULL && tls) {
			cm = sbcreatecontrol(&sc->sc_type, sizeof(sc->sc_type),
			    SO_CRYPT_GET_RECORD_TYPE, SO_CRYPT_SOL_CMSG);
			if (cm == NULL && !data)
				return (ENOBUFS);
			*controlp = cm;
		}
		error = so_crypt_give(so, sc, uio, mpp, peek);
		if (error != 0)
			return (error);
		*flags &= ~MSG_EOR;
		if (sc->sc_clearlen == 0)
			*flags |= MSG_EOR;
	} while (uio->uio_resid > 0 && data && tls && !peek);

	/* Nothing to wait for: what came cannot be added to. */
	*flags &= ~MSG_WAITALL;
	return (0);
}

/*
 * soreceive() of an armed socket.  Called with sblock() held; releases it.
 */
int
so_crypt_receive(struct socket *so, struct uio *uio, struct mbuf **mp0,
    struct mbuf **controlp, int *flagsp, int flags, socklen_t controllen)
{
	struct sockbuf *sb = &so->so_rcv;
	size_t orig = uio->uio_resid;
	struct mbuf **mp = mp0;
	struct so_crypt *sc;
	int error;

	sbassertlocked(sb);
	if (uio->uio_procp)
		uio->uio_procp->p_ru.ru_msgrcv++;
	if (controllen < CMSG_LEN(1))
		controlp = NULL;

again:
	sc = sb->sb_crypt;
	mtx_enter(&sb->sb_mtx);
	for (;;) {
		error = 0;
		if (uio->uio_resid == 0)
			break;
		error = so_crypt_read(so, sc, uio, &mp, controlp, orig,
		    &flags);
		if (sc->sc_pulled)
			so_crypt_rcvd(so, sc);
		else if (error != EWOULDBLOCK || (flags & MSG_DONTWAIT) ||
		    (uio->uio_resid < orig && (flags & MSG_WAITALL) == 0))
			break;
		else {
			sbunlock(sb);
			error = sbwait(sb);
			mtx_leave(&sb->sb_mtx);
			if (error == 0)
				error = sblock(sb, SBLOCKWAIT(flags));
			if (error != 0)
				return (uio->uio_resid < orig ? 0 : error);
			goto again;
		}
		if (error != EWOULDBLOCK)
			break;
	}
	mtx_leave(&sb->sb_mtx);
	sbunlock(sb);

	/* What was read comes first; errors stay for the next read. */
	if (uio->uio_resid < orig)
		error = 0;
	if (flagsp != NULL)
		*flagsp |= flags & MSG_EOR;
	return (error);
}
