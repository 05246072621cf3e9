// SPDX-License-Identifier: MIT
#include "wire.h"

#include "sock.h"

int wire_eager, wire_kind;
u_int wire_piece;
static struct socket *to;
static const u_char *data;
static size_t len, pos;
static int fin, busy; /* busy: a segment is on its way up, the next waits */

/* Clusters that somebody else still reads, and what must be in them. */
static struct shared {
	struct mbuf *m;
	const u_char *expect;
} shared[512];
static u_int nshared;

static void network(void) {
	if (to && !busy && wire_eager && rnd(100) < (u_int)wire_eager) wire_deliver(to);
}

void wire_set(struct socket *so, const u_char *p, size_t n, int with_fin) {
	to = so, data = p, len = n, pos = 0, fin = with_fin;
	others = so ? network : NULL;
}

void wire_more(const u_char *p, size_t n, int with_fin) {
	KASSERT(pos == len);
	data = p, len = n, pos = 0, fin = with_fin;
}

size_t wire_left(void) { return len - pos; }

static struct mbuf *piece(const u_char *p, u_int n) {
	int kind = wire_kind ? wire_kind : (int)rnd(4);
	struct mbuf *m = rnd(2) ? m_gethdr(M_DONTWAIT, MT_DATA) : m_get(M_DONTWAIT, MT_DATA);
	u_int room = m->m_flags & M_PKTHDR ? MHLEN : MLEN, lead;
	if (kind > 0 || n > room) {
		int shortage = cluster_shortage;
		cluster_shortage = 0;
		lead = rnd(64);
		m_clget(m, M_DONTWAIT, n + lead);
		cluster_shortage = shortage;
		m->m_data += lead;
	} else {
		m->m_data += rnd(room - n + 1);
	}
	memcpy(m->m_data, p, n);
	m->m_len = n;
	if ((m->m_flags & M_EXT) && kind >= 2) {
		/* A driver's own memory, or a cluster that retransmission still needs. */
		if (rnd(2)) m->m_ext.cluster->readonly = 1;
		if (nshared == nitems(shared)) wire_check_shared();
		struct mbuf *other = m_get(M_DONTWAIT, MT_DATA);
		other->m_flags |= M_EXT;
		other->m_ext = m->m_ext;
		other->m_ext.cluster->refs++;
		other->m_data = m->m_data;
		other->m_len = n;
		shared[nshared++] = (struct shared){ other, p };
	}
	return m;
}

void wire_check_shared(void) {
	while (nshared > 0) {
		struct shared *s = &shared[--nshared];
		if (memcmp(s->m->m_data, s->expect, s->m->m_len) != 0) panic("a shared cluster was written to");
		m_free(s->m);
	}
}

int wire_deliver(struct socket *so) {
	struct sockbuf *sb = &so->so_rcv;
	KASSERT(so == to);
	if (so->so_rcv.sb_state & SS_CANTRCVMORE) return 0;
	if (pos == len) {
		if (!fin) return 0;
		mtx_enter(&sb->sb_mtx);
		sb->sb_state |= SS_CANTRCVMORE;
		mtx_leave(&sb->sb_mtx);
		sowakeup(so, sb);
		return 1;
	}
	if (so->window <= 0) return 0;
	/* A segment: one to four mbufs. */
	struct mbuf *top = NULL, **mp = &top;
	u_int total = 0;
	for (u_int i = 0; i <= rnd(4) && pos < len && (long)total < so->window; i++) {
		u_int n = wire_piece ? wire_piece : 1 + rnd(rnd(4) ? 1500 : rnd(2) ? 16 : 9000);
		n = ulmin(ulmin(n, len - pos), so->window - total);
		*mp = piece(data + pos, n);
		mp = &(*mp)->m_next;
		pos += n, total += n;
	}
	so->window -= total;
	busy = 1;
	mtx_enter(&sb->sb_mtx);
	sbappendstream(sb, top);
	mtx_leave(&sb->sb_mtx);
	/* sorwakeup() with its hook, then the acknowledgement. */
	if (so_crypted(sb)) so_crypt_gather(so);
	sowakeup(so, sb);
	mtx_enter(&sb->sb_mtx);
	so->window = MAX(so->window, sbspace(sb));
	mtx_leave(&sb->sb_mtx);
	busy = 0;
	return 1;
}
