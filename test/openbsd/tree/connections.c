// SPDX-License-Identifier: MIT
// Two sockets of a patched tree, connected by a TCP that loses nothing: the hooks in sosend(), soreceive(), sosetopt(),
// sosplice(), sorwakeup(), soshutdown(), sorele() and the filter of kqueue, with the tree's mbufs, socket buffers and crypto(9)
// below them.
#include "kernel.h"

/* A TCP that loses nothing: what one end has in so_snd goes to the other while its window is open. */
static struct socket *a, *b;
static int t_send(struct socket *so, struct mbuf *m, struct mbuf *nam, struct mbuf *control) {
	CHECK(control == NULL || control->m_len == 0);
	m_freem(control);
	mtx_enter(&so->so_snd.sb_mtx);
	sbappendstream(&so->so_snd, m);
	mtx_leave(&so->so_snd.sb_mtx);
	return 0;
}
static int fin; /* a has closed */
static void flow1(void);
static void flow(void) {
	static int in;
	if (in) return;
	in = 1;
	flow1();
	in = 0;
}
static void flow1(void) {
	struct socket *from, *to;
	int i;
	for (i = 0; i < 2; i++) {
		from = i ? b : a;
		to = i ? a : b;
		if (from->so_snd.sb_mtx.mtx_owner || to->so_rcv.sb_mtx.mtx_owner) continue;
		for (;;) {
			mtx_enter(&from->so_snd.sb_mtx);
			long n = from->so_snd.sb_cc;
			mtx_leave(&from->so_snd.sb_mtx);
			mtx_enter(&to->so_rcv.sb_mtx);
			long w = sbspace_locked(&to->so_rcv);
			mtx_leave(&to->so_rcv.sb_mtx);
			if (n > w) n = w;
			if (n > 1460) n = 1 + rnd(1460);
			if (n <= 0) break;
			mtx_enter(&from->so_snd.sb_mtx);
			struct mbuf *m = m_copym(from->so_snd.sb_mb, 0, n, M_NOWAIT);
			mtx_leave(&from->so_snd.sb_mtx);
			CHECK(m != NULL);
			mtx_enter(&to->so_rcv.sb_mtx);
			sbappendstream(&to->so_rcv, m);
			mtx_leave(&to->so_rcv.sb_mtx);
			sorwakeup(to);
			mtx_enter(&from->so_snd.sb_mtx);
			sbdrop(&from->so_snd, n);
			mtx_leave(&from->so_snd.sb_mtx);
			sowwakeup(from);
			if (rnd(3) == 0) break;
		}
	}
	if (fin && a->so_snd.sb_cc == 0) {
		mtx_enter(&b->so_rcv.sb_mtx);
		b->so_rcv.sb_state |= SS_CANTRCVMORE;
		mtx_leave(&b->so_rcv.sb_mtx);
		sorwakeup(b);
	}
}
static void t_rcvd(struct socket *so) {}
static int t_zero(struct socket *so) { return 0; }
static const struct pr_usrreqs reqs = {
	.pru_send = t_send, .pru_rcvd = t_rcvd, .pru_detach = t_zero, .pru_shutdown = t_zero, .pru_disconnect = t_zero
};
static const struct domain dom = { .dom_family = AF_INET, .dom_name = "inet" };
static const struct protosw tcp = { .pr_type = SOCK_STREAM,
	.pr_domain = &dom,
	.pr_protocol = IPPROTO_TCP,
	.pr_flags = PR_CONNREQUIRED | PR_WANTRCVD | PR_SPLICE,
	.pr_usrreqs = &reqs };

extern const struct filterops soread_filtops;
void swcr_init(void);

static struct socket *mk(u_long size) {
	struct socket *so = soalloc(&tcp, M_WAIT);
	so->so_proto = &tcp;
	so->so_type = SOCK_STREAM;
	so->so_state = SS_ISCONNECTED | SS_NOFDREF;
	so->so_snd.sb_timeo_nsecs = so->so_rcv.sb_timeo_nsecs = INFSLP;
	solock_shared(so);
	CHECK(soreserve(so, size, size) == 0);
	sounlock_shared(so);
	return so;
}
static int arm(struct socket *so, struct so_crypt_info *info, int dir) {
	struct mbuf *m = m_get(M_WAIT, MT_SOOPTS);
	MCLGET(m, M_WAIT);
	info->direction = dir;
	memcpy(mtod(m, void *), info, sizeof(*info));
	m->m_len = sizeof(*info);
	m->m_flags |= M_ZEROIZE;
	int e = sosetopt(so, SOL_SOCKET, SO_CRYPT, m);
	m_freem(m);
	return e;
}
static ssize_t wr(struct socket *so, void *p, size_t n, int type, int flags) {
	struct iovec iov = { p, n };
	struct uio uio = { &iov, 1, 0, n, UIO_USERSPACE, UIO_WRITE, &one_process };
	u_char t = type;
	int e = sosend(
	    so, NULL, &uio, NULL, type ? sbcreatecontrol(&t, 1, SO_CRYPT_SET_RECORD_TYPE, SO_CRYPT_SOL_CMSG) : NULL, flags);
	return e && uio.uio_resid == n ? -e : n - uio.uio_resid;
}
static ssize_t rd(struct socket *so, void *p, size_t n, int *type, int flags) {
	struct iovec iov = { p, n };
	struct uio uio = { &iov, 1, 0, n, UIO_USERSPACE, UIO_READ, &one_process };
	struct mbuf *c = NULL;
	int e = soreceive(so, NULL, &uio, NULL, type ? &c : NULL, &flags, 64);
	if (type) *type = c ? *CMSG_DATA(mtod(c, struct cmsghdr *)) : 0;
	m_freem(c);
	return e ? -e : n - uio.uio_resid;
}
static int pollin(struct socket *so) {
	struct knote kn;
	struct file fp;
	memset(&kn, 0, sizeof(kn));
	memset(&fp, 0, sizeof(fp));
	fp.f_data = so;
	kn.kn_fp = &fp;
	mtx_enter(&so->so_rcv.sb_mtx);
	int r = soread_filtops.f_event(&kn, 0);
	mtx_leave(&so->so_rcv.sb_mtx);
	return r;
}

static const struct kind {
	int protocol;
	const char *cipher, *mac;
	int key_len, mac_key_len, iv_len;
} kinds[] = {
	{ SO_CRYPT_TLS_1_3, "gcm(aes)", "", 32, 0, 12 },
	{ SO_CRYPT_TLS_1_2, "gcm(aes)", "", 16, 0, 4 },
	{ SO_CRYPT_TLS_1_2, "rfc7539(chacha20,poly1305)", "", 32, 0, 12 },
	{ SO_CRYPT_TLS_1_2, "cbc(aes)", "hmac(sha256)", 32, 32, 0 },
	{ SO_CRYPT_SSH, "chacha20-poly1305@openssh.com", "", 64, 0, 0 },
	{ SO_CRYPT_SSH, "ctr(aes)", "hmac(sha1)", 16, 20, 16 },
};
static u_char out[200000], in[200000];

static void arm_both(const struct kind *k) {
	struct so_crypt_info info = { .operation = SO_CRYPT_ARM,
		.protocol = k->protocol,
		.key_len = k->key_len,
		.mac_key_len = k->mac_key_len,
		.iv_len = k->iv_len };
	strlcpy(info.cipher, k->cipher, sizeof(info.cipher));
	strlcpy(info.mac, k->mac, sizeof(info.mac));
	arc4random_buf(info.key, k->key_len);
	arc4random_buf(info.mac_key, k->mac_key_len);
	arc4random_buf(info.iv, k->iv_len);
	CHECK(arm(a, &info, SO_CRYPT_WRITE) == 0);
	CHECK(arm(a, &info, SO_CRYPT_WRITE) == EEXIST);
	CHECK(arm(b, &info, SO_CRYPT_READ) == 0);
	CHECK(!pollin(b));

	/* Neither end of a splice. */
	other_file.f_data = a;
	CHECK(sosplice(b, 3, 0, NULL) == EOPNOTSUPP);
	CHECK(sosplice(a, 3, 0, NULL) == EOPNOTSUPP);

	struct mbuf *m = m_get(M_WAIT, MT_SOOPTS);
	CHECK(sogetopt(b, SOL_SOCKET, SO_CRYPT, m) == 0);
	CHECK(m->m_len == sizeof(struct so_crypt_status));
	CHECK(mtod(m, struct so_crypt_status *)->read.state == SO_CRYPT_STATE_ARMED);
	m_freem(m);
}

static void transfer(const struct kind *k) {
	size_t total = 1 + rnd(k->protocol == SO_CRYPT_SSH ? 32768 : sizeof(out)), sent = 0, got = 0;
	int type;

	arc4random_buf(out, total);
	if (k->protocol == SO_CRYPT_SSH) out[0] = 94; /* SSH_MSG_CHANNEL_DATA */
	while (got < total) {
		if (sent < total) {
			ssize_t r = wr(a, out + sent, total - sent, 0, MSG_DONTWAIT);
			if (r > 0) sent += r;
			else CHECK(r == -EWOULDBLOCK);
		}
		flow();
		int ready = pollin(b);
		ssize_t r = rd(b, in, 1 + rnd(sizeof(in)), rnd(2) ? &type : NULL, MSG_DONTWAIT);
		if (r == -EWOULDBLOCK) {
			CHECK(!ready);
			continue;
		}
		CHECK(r > 0 && memcmp(in, out + got, r) == 0);
		got += r;
	}
}

static void connection(const struct kind *k) {
	int type;

	a = mk(4096 << rnd(5));
	b = mk(4096 << rnd(5));
	fin = 0;
	network = rnd(2) ? flow : NULL;
	CHECK(wr(a, "plain", 5, 0, MSG_DONTWAIT) == 5);
	while (b->so_rcv.sb_cc < 5) flow();
	CHECK(rd(b, in, 100, NULL, MSG_DONTWAIT) == 5);
	arm_both(k);
	transfer(k);
	if (k->protocol != SO_CRYPT_SSH) {
		/* An alert; and a reader that sleeps until it is there. */
		CHECK(wr(a, "\1", 2, 21, 0) == 2);
		while (!pollin(b)) flow();
		CHECK(rd(b, in, 10, NULL, 0) == -EIO);
		network = flow;
		CHECK(rd(b, in, 10, &type, 0) == 2 && type == 21);
	}
	fin = 1;
	while (!pollin(b)) flow();
	network = NULL;
	CHECK(rd(b, in, 10, &type, 0) == 0);
	if (rnd(2)) CHECK(soshutdown(b, SHUT_RD) == 0);
	sorele(a);
	sorele(b);
	run_tasks();
}

int kernel_test(int rounds) {
	long base = 0;

	soinit();
	mbinit();
	crypto_init();
	_kernel_lock();
	swcr_init();
	_kernel_unlock();
	for (int i = 0; i < rounds; i++) {
		connection(&kinds[i % nitems(kinds)]);
		if (i == 20) base = live;
		if (i > 20) CHECK(live == base);
	}
	host_print("ok - %d connections through the tree's sosend() and soreceive()\n", rounds);
	return 0;
}
