// SPDX-License-Identifier: MIT
// mbufs. Each is memory of its own, so that ASan sees every byte beyond. A shared or foreign cluster is only for reading: whoever
// writes there is found out by the test that shares it.
#include "kern.h"

#include "host.h"

long mbufs;
int cluster_shortage;

struct mbuf *m_get(int how, int type) {
	if (how == M_WAIT) may_sleep("m_get");
	struct mbuf *m = host_alloc(sizeof(*m));
	memset(m, 0xa5, sizeof(*m));
	m->m_next = m->m_nextpkt = NULL;
	m->m_flags = 0;
	m->m_type = type;
	m->m_data = m->m_pktdat;
	mbufs++;
	return m;
}

struct mbuf *m_gethdr(int how, int type) {
	struct mbuf *m = m_get(how, type);
	m->m_flags = M_PKTHDR;
	m->m_pkthdr.len = 0;
	return m;
}

void m_clget(struct mbuf *m, int how, u_int len) {
	KASSERT(len <= MAXMCLBYTES);
	if (how == M_WAIT) may_sleep("m_clget");
	if (how == M_NOWAIT && rnd(100) < (u_int)cluster_shortage) return;
	static const u_int sizes[] = { 2048, 4096, 8192, 9344, 12288, 16384, 65536 };
	u_int i = 0;
	while (sizes[i] < len) i++;
	struct cluster *c = host_alloc(sizeof(*c) + sizes[i]);
	c->refs = 1;
	c->readonly = 0;
	c->size = sizes[i];
	memset(c->data, 0xc1, c->size);
	m->m_ext.cluster = c;
	m->m_ext.ext_size = c->size;
	m->m_flags |= M_EXT;
	m->m_data = (caddr_t)c->data;
}

struct mbuf *m_free(struct mbuf *m) {
	if (m == NULL) return NULL;
	struct mbuf *next = m->m_next;
	if ((m->m_flags & M_ZEROIZE) && next) next->m_flags |= M_ZEROIZE;
	if (m->m_flags & M_EXT) {
		if (--m->m_ext.cluster->refs == 0) host_free(m->m_ext.cluster);
	}
	memset(m, 0xdf, sizeof(*m));
	host_free(m);
	mbufs--;
	return next;
}

void m_freem(struct mbuf *m) {
	while (m) m = m_free(m);
}

/* As strict as OpenBSD's: the offset must be inside the chain or at its end. */
static struct mbuf *seek(struct mbuf *m, int *off) {
	if (m == NULL || *off < 0) panic("mbuf offset %d", *off);
	while ((u_int)*off >= m->m_len) {
		if (m->m_next == NULL) {
			if ((u_int)*off == m->m_len) return m;
			panic("short mbuf chain");
		}
		*off -= m->m_len;
		m = m->m_next;
	}
	return m;
}

void m_copydata(struct mbuf *m, int off, int len, void *p) {
	u_char *out = p;
	KASSERT(len >= 0);
	for (m = seek(m, &off); len > 0; m = m->m_next, off = 0) {
		if (m == NULL) panic("m_copydata: short mbuf chain");
		int n = ulmin(m->m_len - off, len);
		memcpy(out, mtod(m, u_char *) + off, n);
		out += n, len -= n;
	}
}

/* Never grows the chain: SO_CRYPT is to have the room ready. */
int m_copyback(struct mbuf *m, int off, int len, const void *p, int wait) {
	const u_char *in = p;
	(void)wait;
	for (m = seek(m, &off); len > 0; m = m->m_next, off = 0) {
		if (m == NULL) panic("m_copyback: the chain would grow");
		int n = ulmin(m->m_len - off, len);
		if (n > 0 && M_READONLY(m)) panic("m_copyback: writes to a read-only cluster");
		memcpy(mtod(m, u_char *) + off, in, n);
		in += n, len -= n;
	}
	return 0;
}

void m_adj(struct mbuf *m, int req) {
	if (m == NULL) return;
	if (m->m_flags & M_PKTHDR) m->m_pkthdr.len -= req < 0 ? -req : req;
	if (req >= 0) {
		for (; m && req > 0; m = m->m_next) {
			u_int n = ulmin(m->m_len, req);
			m->m_data += n;
			m->m_len -= n;
			req -= n;
		}
		if (req > 0) panic("m_adj: %d bytes too many", req);
		return;
	}
	int total = 0;
	for (struct mbuf *n = m; n; n = n->m_next) total += n->m_len;
	if (total < -req) panic("m_adj: %d of %d bytes", req, total);
	total += req;
	for (; m; m = m->m_next) {
		m->m_len = ulmin(m->m_len, total);
		total -= m->m_len;
	}
}
