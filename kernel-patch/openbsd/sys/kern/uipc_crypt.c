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
 * SO_CRYPT: the socket option (after Burnside and Keromytis, "Accelerating
 * Application-Level Security Protocols", 2003).
 *
 * An armed direction hangs off its socket buffer:
 *
 *	uipc_crypt.c		the option, and the hooks that are short
 *	uipc_crypt_send.c	sosend() to frames
 *	uipc_crypt_recv.c	frames to soreceive()
 *	uipc_crypt_key.c	the option's fields to keys
 *	uipc_crypt_frame.c	layouts of frames
 *	uipc_crypt_seal.c	payload to a frame
 *	uipc_crypt_open.c	a frame to payload
 *	uipc_crypt_cbc.c	MACs over a secret length
 *	uipc_crypt_ccm.c	AES-CCM
 *	uipc_crypt_ssh.c	packets of SSH, both ways
 *	uipc_crypt_cipher.c	requests to crypto(9)
 *	uipc_crypt_mbuf.c	chains of mbufs
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/protosw.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/so_cryptvar.h>

#include <netinet/in.h>

/*
 * The option's bytes: longer than what is known here is all right if it is 0.
 */
static int
so_crypt_info(struct mbuf *m, struct so_crypt_info *info)
{
	u_int8_t *p, rest = 0;
	u_int i;

	if (m == NULL || m->m_len < sizeof(*info))
		return (EINVAL);
	p = mtod(m, u_int8_t *);
	memcpy(info, p, sizeof(*info));
	for (i = sizeof(*info); i < m->m_len; i++)
		rest |= p[i];
	explicit_bzero(p, m->m_len);
	if (rest != 0)
		return (E2BIG);
	if ((info->operation != SO_CRYPT_ARM &&
	    info->operation != SO_CRYPT_REKEY) ||
	    (info->direction != SO_CRYPT_WRITE &&
	    info->direction != SO_CRYPT_READ))
		return (EINVAL);
	return (0);
}

/*
 * May the direction take the key sk?  Called with sblock() held.
 */
static int
so_crypt_check(struct socket *so, const struct so_crypt *sc,
    const struct so_crypt_key *sk, const struct so_crypt_info *info)
{
	if (so->so_options & SO_ACCEPTCONN)
		return (ENOTCONN);
	if (info->operation == SO_CRYPT_ARM) {
		if (sc != NULL)
			return (EEXIST);
		if ((READ_ONCE(so->so_state) & SS_ISCONNECTED) == 0)
			return (ENOTCONN);
		/* A splice moves bytes without passing here. */
		if (sk->sk_write ? issplicedback(so) : isspliced(so))
			return (EBUSY);
		return (0);
	}
	if (sc == NULL)
		return (ENOTCONN);
	if (sc->sc_key->sk_protocol != sk->sk_protocol)
		return (EINVAL);
	if (so_crypt_key_same(sc->sc_key, info))
		return (EEXIST);
	return (0);
}

/*
 * setsockopt(2): arm a direction, or give it new keys.
 */
int
so_crypt_setopt(struct socket *so, struct mbuf *m)
{
	struct so_crypt_info *info;
	struct so_crypt_key *sk = NULL, *old = NULL;
	struct so_crypt *sc = NULL;
	struct sockbuf *sb;
	int error;

	if (so->so_proto->pr_protocol != IPPROTO_TCP)
		return (ENOPROTOOPT);

	info = malloc(sizeof(*info), M_TEMP, M_WAITOK);
	if ((error = so_crypt_info(m, info)) != 0 ||
	    (error = so_crypt_key_new(info, &sk)) != 0)
		goto out;

	sb = info->direction == SO_CRYPT_WRITE ? &so->so_snd : &so->so_rcv;
	if (info->operation == SO_CRYPT_ARM)
		sc = malloc(sizeof(*sc), M_CRYPTO_DATA, M_WAITOK | M_ZERO);

	/* Who reads or writes now ends that first. */
	if ((error = sblock(sb, SBL_WAIT)) != 0)
		goto out;
	mtx_enter(&sb->sb_mtx);
	if ((error = so_crypt_check(so, sb->sb_crypt, sk, info)) == 0) {
		if (sb->sb_crypt == NULL) {
			sb->sb_crypt = sc;
			sc = NULL;
		}
		old = sb->sb_crypt->sc_key;
		sb->sb_crypt->sc_key = sk;
		sk = NULL;
		sb->sb_crypt->sc_rekey = 0;
		sb->sb_crypt->sc_need = 0;
		sb->sb_crypt->sc_hslen = 0;
		sb->sb_crypt->sc_hsleft = 0;
		if (info->direction == SO_CRYPT_READ)
			so_crypt_pull(so, sb->sb_crypt);
	}
	mtx_leave(&sb->sb_mtx);
	sbunlock(sb);
	if (error == 0)
		sowakeup(so, sb);

out:
	so_crypt_key_free(sk);
	so_crypt_key_free(old);
	free(sc, M_CRYPTO_DATA, sizeof(*sc));
	explicit_bzero(info, sizeof(*info));
	free(info, M_TEMP, sizeof(*info));
	return (error);
}

static int
so_crypt_status(struct sockbuf *sb, struct so_crypt_direction_status *st)
{
	struct so_crypt *sc;
	struct so_crypt_key *sk;
	int error;

	if ((error = sblock(sb, SBL_WAIT)) != 0)
		return (error);
	if ((sc = sb->sb_crypt) != NULL) {
		sk = sc->sc_key;
		mtx_enter(&sb->sb_mtx);
		st->state = SO_CRYPT_STATE_ARMED |
		    (sc->sc_rekey ? SO_CRYPT_STATE_REKEY : 0);
		st->error = sc->sc_error;
		mtx_leave(&sb->sb_mtx);
		st->protocol = sk->sk_protocol;
		st->flags = sk->sk_flags;
		st->tag_len = sk->sk_tag;
		st->max_payload = sk->sk_max_payload;
		st->depth = 1;
		st->sequence = sk->sk_seq;
		st->frames = sk->sk_frames;
		st->limit = sk->sk_limit;
		strlcpy(st->cipher, sk->sk_cipher->cc_name,
		    sizeof(st->cipher));
		if (sk->sk_mac != NULL)
			strlcpy(st->mac, sk->sk_mac->cm_name,
			    sizeof(st->mac));
		so_crypt_driver(sk, st->driver, sizeof(st->driver));
	}
	sbunlock(sb);
	return (0);
}

/*
 * getsockopt(2): the state of both directions, and no keys.
 */
int
so_crypt_getopt(struct socket *so, struct mbuf *m)
{
	struct so_crypt_status *st;
	int error;

	if (so->so_proto->pr_protocol != IPPROTO_TCP)
		return (ENOPROTOOPT);
	MCLGET(m, M_WAIT);
	if ((m->m_flags & M_EXT) == 0)
		return (ENOBUFS);
	st = mtod(m, struct so_crypt_status *);
	memset(st, 0, sizeof(*st));
	m->m_len = sizeof(*st);
	if ((error = so_crypt_status(&so->so_snd, &st->write)) == 0)
		error = so_crypt_status(&so->so_rcv, &st->read);
	return (error);
}

static void
so_crypt_free_task(void *arg)
{
	struct so_crypt *sc = arg;

	m_freem(sc->sc_raw);
	m_freem(sc->sc_clear);
	so_crypt_key_free(sc->sc_key);
	free(sc, M_CRYPTO_DATA, sizeof(*sc));
}

/*
 * The socket goes.  The last reference may be anybody's, and sessions need the
 * kernel lock.
 */
void
so_crypt_free(struct sockbuf *sb)
{
	struct so_crypt *sc = sb->sb_crypt;

	if (sc == NULL)
		return;
	sb->sb_crypt = NULL;
	task_set(&sc->sc_task, so_crypt_free_task, sc);
	task_add(systq, &sc->sc_task);
}

/*
 * shutdown(2): nothing will be read any more.  Called with sblock() held.
 */
void
so_crypt_flush(struct sockbuf *sb)
{
	struct so_crypt *sc = sb->sb_crypt;
	struct mbuf *raw, *clear;

	if (sc == NULL)
		return;
	mtx_enter(&sb->sb_mtx);
	raw = sc->sc_raw;
	clear = sc->sc_clear;
	sc->sc_raw = sc->sc_rawtail = sc->sc_clear = NULL;
	sc->sc_rawlen = sc->sc_clearlen = sc->sc_need = 0;
	mtx_leave(&sb->sb_mtx);
	m_freem(raw);
	m_freem(clear);
}

/*
 * The network appended to so_rcv.
 */
void
so_crypt_gather(struct socket *so)
{
	mtx_enter(&so->so_rcv.sb_mtx);
	if (so->so_rcv.sb_crypt != NULL)
		so_crypt_pull(so, so->so_rcv.sb_crypt);
	mtx_leave(&so->so_rcv.sb_mtx);
}

/*
 * For poll(2) and kqueue(2): about how many bytes can be read without waiting,
 * or 1 when there is something else to tell.
 */
long
so_crypt_avail(struct sockbuf *sb)
{
	struct so_crypt *sc = sb->sb_crypt;

	MUTEX_ASSERT_LOCKED(&sb->sb_mtx);

	if (!so_crypt_ready(sc))
		return (0);
	if (sc->sc_clearlen > 0)
		return (sc->sc_clearlen);
	return (sc->sc_need > SO_CRYPT_FRONT ? sc->sc_need - SO_CRYPT_FRONT :
	    1);
}

/*
 * For ioctl(2): FIONREAD.
 */
int
so_crypt_nread(struct sockbuf *sb)
{
	int n;

	mtx_enter(&sb->sb_mtx);
	n = so_crypt_avail(sb);
	mtx_leave(&sb->sb_mtx);
	return (n);
}
