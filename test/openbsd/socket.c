// SPDX-License-Identifier: MIT
// Socket buffers, and the calls of sosend() and soreceive() into SO_CRYPT as the hooks make them.
#include "kern.h"

#include "host.h"
#include "sock.h"
#include "wire.h"

static const struct protosw tcp = { IPPROTO_TCP };

void sock_init(struct socket *so, u_long hiwat) {
	memset(so, 0, sizeof(*so));
	so->so_proto = &tcp;
	so->so_state = SS_ISCONNECTED;
	so->so_rcv.sb_lock.lock = (struct lock){ "sblock(so_rcv)", 1, 0 };
	so->so_snd.sb_lock.lock = (struct lock){ "sblock(so_snd)", 1, 0 };
	so->so_rcv.sb_mtx.lock = (struct lock){ "so_rcv.sb_mtx", 3, 0 };
	so->so_snd.sb_mtx.lock = (struct lock){ "so_snd.sb_mtx", 3, 0 };
	so->so_lock.lock = (struct lock){ "so_lock", 2, 0 };
	so->so_rcv.sb_hiwat = so->so_snd.sb_hiwat = hiwat;
	so->so_rcv.sb_mbmax = so->so_snd.sb_mbmax = MAX(3 * MAXMCLBYTES, hiwat * 8);
	so->window = hiwat;
}

void sock_free(struct socket *so) {
	so_crypt_free(&so->so_snd);
	so_crypt_free(&so->so_rcv);
	tasks_run();
	m_freem(so->so_rcv.sb_mb);
	if (so->out) host_free(so->out);
	locks_none();
}

int sblock(struct sockbuf *sb, int flags) {
	(void)flags;
	rw_enter_write(&sb->sb_lock);
	return 0;
}
void sbunlock(struct sockbuf *sb) { rw_exit(&sb->sb_lock); }
void solock_shared(struct socket *so) { rw_enter_write(&so->so_lock); }
void sounlock_shared(struct socket *so) { rw_exit(&so->so_lock); }

static u_long mbuf_cost(struct mbuf *m) { return MSIZE + (m->m_flags & M_EXT ? m->m_ext.ext_size : 0); }

void sbfree(struct sockbuf *sb, struct mbuf *m) {
	MUTEX_ASSERT_LOCKED(&sb->sb_mtx);
	sb->sb_cc -= m->m_len;
	sb->sb_datacc -= m->m_len;
	sb->sb_mbcnt -= mbuf_cost(m);
}

long sbspace(struct sockbuf *sb) {
	long a = (long)(sb->sb_hiwat - sb->sb_cc), b = (long)(sb->sb_mbmax - sb->sb_mbcnt);
	return a < b ? a : b;
}

void sbappendstream(struct sockbuf *sb, struct mbuf *m) {
	MUTEX_ASSERT_LOCKED(&sb->sb_mtx);
	KASSERT(sb->sb_mb == sb->sb_lastrecord);
	KASSERT((sb->sb_mb == NULL) == (sb->sb_mbtail == NULL));
	while (m) {
		struct mbuf *next = m->m_next;
		m->m_next = NULL;
		if (sb->sb_mb == NULL) sb->sb_mb = sb->sb_lastrecord = m;
		else sb->sb_mbtail->m_next = m;
		sb->sb_mbtail = m;
		sb->sb_cc += m->m_len;
		sb->sb_datacc += m->m_len;
		sb->sb_mbcnt += mbuf_cost(m);
		m = next;
	}
}

struct mbuf *sbcreatecontrol(const void *p, size_t size, int type, int level) {
	struct mbuf *m = m_get(M_DONTWAIT, MT_CONTROL);
	struct cmsghdr *cm = mtod(m, struct cmsghdr *);
	memset(cm, 0, CMSG_SPACE(size));
	cm->cmsg_len = CMSG_LEN(size);
	cm->cmsg_level = level;
	cm->cmsg_type = type;
	memcpy(CMSG_DATA(cm), p, size);
	m->m_len = CMSG_SPACE(size);
	return m;
}

void sowakeup(struct socket *so, struct sockbuf *sb) {
	mtx_enter(&sb->sb_mtx);
	so->wakeups++;
	mtx_leave(&sb->sb_mtx);
}

/* The window that a peer sees opens only when something is sent: an acknowledgement, or this. */
void pru_rcvd(struct socket *so) {
	KASSERT(so->so_lock.lock.held);
	so->window = MAX(so->window, sbspace(&so->so_rcv));
}

/* Sleeps until the network has something; in a test nobody else can wake the reader. */
int sbwait(struct sockbuf *sb) {
	struct socket *so = (struct socket *)((char *)sb - offsetof(struct socket, so_rcv));
	KASSERT(!sb->sb_lock.lock.held);
	u_long wakeups = so->wakeups;
	mtx_leave(&sb->sb_mtx);
	if (so->wakeups == wakeups && !wire_deliver(so))
		panic("sbwait: a reader would sleep for ever (%lu buffered, window %ld)", sb->sb_cc, so->window);
	mtx_enter(&sb->sb_mtx);
	return 0;
}

int uiomove(void *p, size_t n, struct uio *uio) {
	may_sleep("uiomove");
	size_t good = ulmin(n, uio->fault);
	if (good > 0) {
		if (uio->writing) memcpy(p, uio->base, good);
		else memcpy(uio->base, p, good);
	}
	uio->base += good;
	uio->uio_resid -= good;
	uio->fault -= good;
	return good < n ? EFAULT : 0;
}

/* What tcp_send() does, and a peer that takes all at once. */
static void transmit(struct socket *so, struct mbuf *top) {
	int len = 0, total = top->m_pkthdr.len;
	KASSERT(top->m_flags & M_PKTHDR);
	for (struct mbuf *m = top; m; m = m->m_next) {
		if (so->out_len + m->m_len > so->out_size) {
			u_char *bigger = host_alloc(so->out_size = 2 * so->out_size + m->m_len);
			if (so->out) memcpy(bigger, so->out, so->out_len), host_free(so->out);
			so->out = bigger;
		}
		memcpy(so->out + so->out_len, mtod(m, u_char *), m->m_len);
		so->out_len += m->m_len;
		len += m->m_len;
	}
	KASSERT(len == total);
	m_freem(top);
}

int sosend(struct socket *so, struct uio *uio, struct mbuf *top, struct mbuf *control, int flags) {
	size_t resid = uio ? uio->uio_resid : (size_t)top->m_pkthdr.len;
	int error = 0;
	if ((error = sblock(&so->so_snd, SBL_WAIT)) != 0) return error;
	mtx_enter(&so->so_snd.sb_mtx);
	do {
		long space = 1 + rnd(2 * so->so_snd.sb_hiwat);
		do {
			mtx_leave(&so->so_snd.sb_mtx);
			error = so_crypt_send(so, &top, &control, &space, &resid, uio, flags);
			mtx_enter(&so->so_snd.sb_mtx);
			if (error) goto release;
			KASSERT(control == NULL);
			mtx_leave(&so->so_snd.sb_mtx);
			transmit(so, top);
			mtx_enter(&so->so_snd.sb_mtx);
			top = NULL;
		} while (resid && space > 0);
	} while (resid);
release:
	mtx_leave(&so->so_snd.sb_mtx);
	sbunlock(&so->so_snd);
	m_freem(top);
	m_freem(control);
	locks_none();
	return error;
}

/* write(2): a short count where there was progress. */
ssize_t sock_write(struct socket *so, const void *p, size_t n, int type, int flags) {
	struct uio uio = { (u_char *)p, n, SIZE_MAX, 1, NULL };
	struct mbuf *control = NULL;
	u_char t = type;
	if (type) control = sbcreatecontrol(&t, 1, SO_CRYPT_SET_RECORD_TYPE, SO_CRYPT_SOL_CMSG);
	int error = sosend(so, &uio, NULL, control, flags);
	if (error == EWOULDBLOCK && uio.uio_resid != n) error = 0;
	return error ? -error : (ssize_t)(n - uio.uio_resid);
}

/* recvmsg(2); *type: 0, or that of the control message. NULL: no room for one. */
ssize_t sock_read(struct socket *so, void *p, size_t n, int *type, int *flags) {
	struct uio uio = { p, n, SIZE_MAX, 0, NULL };
	struct mbuf *control = NULL;
	int in = *flags;
	*flags = 0;
	sblock(&so->so_rcv, SBL_WAIT);
	int error = so_crypt_receive(so, &uio, NULL, type ? &control : NULL, flags, in, type ? CMSG_SPACE(1) : 0);
	locks_none();
	if (type) {
		*type = 0;
		if (control) {
			struct cmsghdr *cm = mtod(control, struct cmsghdr *);
			KASSERT(cm->cmsg_level == SO_CRYPT_SOL_CMSG && cm->cmsg_type == SO_CRYPT_GET_RECORD_TYPE);
			*type = *CMSG_DATA(cm);
		}
	}
	m_freem(control);
	return error ? -error : (ssize_t)(n - uio.uio_resid);
}

int sock_option(struct socket *so, const void *p, size_t n) {
	struct mbuf *m = m_get(M_WAIT, MT_SOOPTS);
	if (n > MLEN) MCLGET(m, M_WAIT);
	memcpy(m->m_data, p, n);
	m->m_len = n;
	int error = so_crypt_setopt(so, m);
	for (size_t i = 0; error == 0 && i < n; i++)
		if (m->m_data[i]) panic("the option's mbuf is not wiped");
	m_freem(m);
	locks_none();
	return error;
}

int sock_status(struct socket *so, struct so_crypt_status *st) {
	struct mbuf *m = m_get(M_WAIT, MT_SOOPTS);
	int error = so_crypt_getopt(so, m);
	KASSERT(error || m->m_len == sizeof(*st));
	if (!error) memcpy(st, m->m_data, sizeof(*st));
	m_freem(m);
	locks_none();
	return error;
}

/* The filter of poll(2) and kqueue(2). */
int sock_readable(struct socket *so) {
	mtx_enter(&so->so_rcv.sb_mtx);
	int yes = (so->so_rcv.sb_state & SS_CANTRCVMORE) || so->so_error || so_crypt_avail(&so->so_rcv) > 0;
	mtx_leave(&so->so_rcv.sb_mtx);
	return yes;
}

void sock_shutdown(struct socket *so) {
	sblock(&so->so_rcv, SBL_WAIT);
	mtx_enter(&so->so_rcv.sb_mtx);
	so->so_rcv.sb_state |= SS_CANTRCVMORE;
	struct mbuf *m = so->so_rcv.sb_mb;
	so->so_rcv.sb_mb = so->so_rcv.sb_mbtail = so->so_rcv.sb_lastrecord = NULL;
	so->so_rcv.sb_cc = so->so_rcv.sb_datacc = so->so_rcv.sb_mbcnt = 0;
	mtx_leave(&so->so_rcv.sb_mtx);
	so_crypt_flush(&so->so_rcv);
	sbunlock(&so->so_rcv);
	m_freem(m);
}
