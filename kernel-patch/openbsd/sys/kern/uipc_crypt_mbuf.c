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
 * SO_CRYPT: mbufs of frames.
 *
 * A frame is a chain: one mbuf in front with a packet header, whose data ends
 * at a fixed place so that what precedes the payload can be replaced (what a
 * MAC covers is not what goes on the wire), the payload, and one mbuf behind
 * for padding and tag.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

/*
 * An empty mbuf to stand before a frame.  May sleep.
 */
struct mbuf *
so_crypt_front(void)
{
	struct mbuf *m;

	CTASSERT(SO_CRYPT_FRONT <= MHLEN);

	MGETHDR(m, M_WAIT, MT_DATA);
	m->m_len = m->m_pkthdr.len = 0;
	m->m_data = m->m_pktdat + SO_CRYPT_FRONT;
	return (m);
}

/*
 * Replace all that the front mbuf holds.
 */
void
so_crypt_front_put(struct mbuf *m, const void *data, int len)
{
	KASSERT(len <= SO_CRYPT_FRONT);

	m->m_pkthdr.len += len - (int)m->m_len;
	m->m_data = m->m_pktdat + SO_CRYPT_FRONT - len;
	m->m_len = len;
	if (len > 0)
		memcpy(m->m_data, data, len);
}

/*
 * A chain with room for exactly len bytes.  May sleep, but not for clusters:
 * a shortage of them costs speed only.
 */
struct mbuf *
so_crypt_space(u_int len)
{
	struct mbuf *m, *top = NULL, **mp = &top;
	u_int room;

	do {
		MGET(m, M_WAIT, MT_DATA);
		room = MLEN;
		if (len > MLEN) {
			MCLGETL(m, M_NOWAIT, ulmin(len, SO_CRYPT_TLS_MAX));
			if ((m->m_flags & M_EXT) == 0)
				MCLGETL(m, M_NOWAIT, MCLBYTES);
			if (m->m_flags & M_EXT)
				room = m->m_ext.ext_size;
		}
		m->m_len = ulmin(room, len);
		len -= m->m_len;
		*mp = m;
		mp = &m->m_next;
	} while (len > 0);

	return (top);
}

/*
 * Replace each mbuf behind the first one that others can see (a cluster that
 * the driver or the sending side of a local connection still holds): ciphers
 * work in place.  May sleep.
 */
int
so_crypt_own(struct mbuf *top)
{
	struct mbuf *m, *n, *last, **mp;
	u_int off;
	int copied = 0;

	for (mp = &top->m_next; (m = *mp) != NULL; mp = &m->m_next) {
		if (!M_READONLY(m))
			continue;
		n = so_crypt_space(m->m_len);
		*mp = n;
		for (off = 0, last = n; n != NULL; n = n->m_next) {
			memcpy(mtod(n, caddr_t), mtod(m, caddr_t) + off,
			    n->m_len);
			off += n->m_len;
			last = n;
		}
		last->m_next = m_free(m);
		m = last;
		copied++;
	}
	return (copied);
}

/*
 * Put n behind the chain m, which has a packet header.
 */
void
so_crypt_append(struct mbuf *m, struct mbuf *n)
{
	m->m_pkthdr.len += n->m_len;
	while (m->m_next != NULL)
		m = m->m_next;
	m->m_next = n;
}
