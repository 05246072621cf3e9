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

#ifndef _SYS_SO_CRYPTVAR_H_
#define _SYS_SO_CRYPTVAR_H_

/*
 * What the kernel keeps of SO_CRYPT.  The hooks in existing files need only
 * the functions at the end.
 *
 * Locks:
 *	b	sblock() of the direction's buffer
 *	m	sb_mtx of the direction's buffer
 *	bm	both to write, either to read
 *	I	immutable once the keys are in use
 */

#include <sys/queue.h>
#include <sys/task.h>
#include <sys/so_crypt.h>
#include <sys/socketvar.h>

#if defined(CRYPTO) && !defined(SMALL_KERNEL)

struct aes_ctx;
struct cryptop;
struct so_crypt_hash;

#define SO_CRYPT_TLS_HEADER	5
#define SO_CRYPT_TLS_MAX	16384		/* RFC 8446 5.1 */
#define SO_CRYPT_SSH_MAX	262144		/* as OpenSSH */
#define SO_CRYPT_FRONT		96		/* of the mbuf before a frame */
#define SO_CRYPT_MAX_MAC	64
#define SO_CRYPT_MAX_BLOCK	16

/* A cipher and what crypto(9) calls it. */
struct so_crypt_cipher {
	const char	*cc_name;
	int		 cc_mode;	/* SO_CRYPT_MODE_* */
	int		 cc_alg;	/* CRYPTO_*, 0: not in this kernel */
	u_int8_t	 cc_minkey;
	u_int8_t	 cc_maxkey;
	u_int8_t	 cc_block;	/* of CBC, CTR; what SSH pads to */
	u_int8_t	 cc_ivlen;	/* that crypto(9) takes */
	u_int8_t	 cc_salt;	/* bytes of the nonce behind the key */
};
#define SO_CRYPT_MODE_GCM	1
#define SO_CRYPT_MODE_CHACHA	2
#define SO_CRYPT_MODE_CBC	3
#define SO_CRYPT_MODE_CTR	4	/* RFC 3686: restarts with each frame */
#define SO_CRYPT_MODE_CTR128	5	/* RFC 4344: goes on */
#define SO_CRYPT_MODE_CHACHASSH	6
#define SO_CRYPT_MODE_CCM	7

struct so_crypt_mac {
	const char	*cm_name;
	int		 cm_alg;	/* CRYPTO_*, 0: not here */
	u_int8_t	 cm_len;
	u_int8_t	 cm_block;
};

/*
 * A frame's layout with what the protocols have beyond a custom one.  SSH has
 * no layout: kern/uipc_crypt_ssh.c.
 */
struct so_crypt_frame {
	struct so_crypt_layout	cf_layout;
	u_int32_t		cf_max_payload;	/* that a peer may send */
	u_int32_t		cf_max_body;	/* bytes behind the header */
	u_int8_t		cf_flags;
#define CF_TYPE		0x01	/* header[0] is the content type */
#define CF_INNERTYPE	0x02	/* the type is behind the payload */
#define CF_COVERED	0x04	/* associated length: of what follows it */
#define CF_CHAINED	0x08	/* the IV is the end of the frame before */
};

/* One direction's keys, and all that changes with them. */
struct so_crypt_key {
	u_int8_t	 sk_protocol;	/* [I] */
	u_int8_t	 sk_flags;	/* [I] enum so_crypt_flags */
	u_int8_t	 sk_write;	/* [I] direction */
	u_int8_t	 sk_tag;	/* [I] bytes of tag in a frame */
	u_int16_t	 sk_depth;	/* [I] as asked for */
	u_int32_t	 sk_max_payload;	/* [I] of frames sent */
	struct so_crypt_frame sk_frame;	/* [I] not with SSH */
	const struct so_crypt_cipher *sk_cipher;	/* [I] */
	const struct so_crypt_mac *sk_mac;		/* [I] or NULL */

	struct cryptop	*sk_crp;	/* [b] one request, used again */
	u_int64_t	 sk_sid;	/* [b] session */
	u_int64_t	 sk_masksid;	/* [b] session for lengths, or 0 */
	int		 sk_authalg;	/* [I] of the second descriptor */
	int		 sk_klen;	/* [I] bits that crypto(9) was given */
	int		 sk_authklen;	/* [I] */
	struct so_crypt_hash *sk_hash;	/* [I] reading MtE, or NULL */
	struct aes_ctx	*sk_peek;	/* [I] to read SSH lengths, or NULL */

	u_int64_t	 sk_seq;	/* [b] of the next frame */
	u_int64_t	 sk_frames;	/* [b] under this key */
	u_int64_t	 sk_limit;	/* [I] */
	u_int64_t	 sk_counter;	/* [b] the next explicit nonce */
	u_int8_t	 sk_iv[SO_CRYPT_MAX_IV];	/* [b] XOR, CBC, CTR */
	u_int8_t	 sk_mask[4];	/* [b] over the next SSH length;
					    [m] reads it when sc_need is 0 */
	u_int8_t	 sk_salt[16];	/* [I] random, for sk_id */
	u_int8_t	 sk_id[32];	/* [I] hash of the key */
};

/* One armed direction: hangs off its sockbuf until the socket is freed. */
struct so_crypt {
	struct so_crypt_key	*sc_key;	/* [bm] */
	int		 sc_error;	/* [m] that stays */
	int		 sc_rekey;	/* [m] reading stopped for new keys */
	int		 sc_short;	/* [b] the write in progress is short */
	struct task	 sc_task;	/* frees this with the kernel lock */

	/* Reading only. */
	struct mbuf	*sc_raw;	/* [m] ciphertext out of the sockbuf */
	struct mbuf	*sc_rawtail;	/* [m] */
	u_int		 sc_rawlen;	/* [m] */
	u_int		 sc_need;	/* [m] bytes of the next frame, or 0 */
	u_int		 sc_discard;	/* [m] bytes to come before EBADMSG */
	int		 sc_busy;	/* [m] a frame is being opened */
	int		 sc_pulled;	/* [m] the window may have grown */
	struct mbuf	*sc_clear;	/* [b] payload not read yet */
	u_int		 sc_clearlen;	/* [m] */
	u_int8_t	 sc_type;	/* [bm] its record type */
	u_int32_t	 sc_hsleft;	/* [b] of a handshake message */
	u_int8_t	 sc_hs[4];	/* [b] its header */
	u_int8_t	 sc_hslen;	/* [b] bytes in sc_hs */
};

/* TLS content types (RFC 8446 5.1) and messages that stop reading. */
#define SO_CRYPT_TYPE_HANDSHAKE	22
#define SO_CRYPT_TYPE_DATA	23
#define SO_CRYPT_HS_KEYUPDATE	24
#define SO_CRYPT_SSH_NEWKEYS	21

/* uipc_crypt_key.c */
int	so_crypt_key_new(const struct so_crypt_info *, struct so_crypt_key **);
void	so_crypt_key_free(struct so_crypt_key *);
int	so_crypt_key_same(const struct so_crypt_key *,
	    const struct so_crypt_info *);

/* uipc_crypt_cipher.c */
const struct so_crypt_cipher *so_crypt_cipher(const char *, int, int *);
const struct so_crypt_mac *so_crypt_mac(const char *);
int	so_crypt_session(struct so_crypt_key *, const struct so_crypt_info *);
void	so_crypt_session_free(struct so_crypt_key *);
void	so_crypt_driver(const struct so_crypt_key *, char *, size_t);
void	so_crypt_want_cipher(struct so_crypt_key *, int, int, int,
	    const u_int8_t *, int);
void	so_crypt_want_auth(struct so_crypt_key *, int, int, int, int);
int	so_crypt_run(struct so_crypt_key *, struct mbuf *, int);
int	so_crypt_run_mask(struct so_crypt_key *, struct mbuf *,
	    const u_int8_t *);

/* uipc_crypt_frame.c */
int	so_crypt_frame(const struct so_crypt_info *, struct so_crypt_key *);
int	so_crypt_frame_len(const struct so_crypt_frame *, const u_int8_t *,
	    u_int *);
void	so_crypt_frame_header(const struct so_crypt_frame *, u_int8_t, u_int,
	    u_int8_t *);
int	so_crypt_assoc(const struct so_crypt_frame *, const u_int8_t *,
	    u_int64_t, u_int, u_int8_t *);

/* uipc_crypt_seal.c and uipc_crypt_open.c */
int	so_crypt_seal(struct so_crypt_key *, struct mbuf *, struct mbuf *,
	    u_int, u_int8_t);
int	so_crypt_open(struct so_crypt_key *, const u_int8_t *, struct mbuf *,
	    u_int8_t *);
int	so_crypt_last(struct so_crypt *, struct mbuf *);
struct mbuf *so_crypt_trail(int);
void	so_crypt_tag_take(struct mbuf *, int, u_int8_t *);
int	so_crypt_tag_check(struct mbuf *, int, const u_int8_t *, int);

/* uipc_crypt_ccm.c */
int	so_crypt_ccm_seal(struct so_crypt_key *, struct mbuf *,
	    const u_int8_t *, const u_int8_t *, int, u_int, u_int8_t *);
int	so_crypt_ccm_open(struct so_crypt_key *, struct mbuf *,
	    const u_int8_t *, const u_int8_t *, int, u_int, const u_int8_t *);

/* uipc_crypt_cbc.c */
int	so_crypt_hash_new(const struct so_crypt_mac *, const u_int8_t *, int,
	    struct so_crypt_hash **);
void	so_crypt_hash_free(struct so_crypt_hash *);
int	so_crypt_mte_check(struct so_crypt_hash *, const u_int8_t *, int,
	    const u_int8_t *, u_int, int, int, int, u_int *);

/* uipc_crypt_ssh.c */
int	so_crypt_ssh_seal(struct so_crypt_key *, struct mbuf *, struct mbuf *,
	    u_int);
int	so_crypt_ssh_open(struct so_crypt_key *, const u_int8_t *,
	    struct mbuf *);
int	so_crypt_ssh_len(const struct so_crypt_key *, const u_int8_t *,
	    u_int *);
int	so_crypt_ssh_start(struct so_crypt_key *,
	    const struct so_crypt_info *);
int	so_crypt_ssh_mask(struct so_crypt_key *);

/* uipc_crypt_mbuf.c */
struct mbuf *so_crypt_front(void);
void	so_crypt_front_put(struct mbuf *, const void *, int);
struct mbuf *so_crypt_space(u_int);
int	so_crypt_own(struct mbuf *);
void	so_crypt_append(struct mbuf *, struct mbuf *);

/* uipc_crypt.c, for the files around it */
void	so_crypt_pull(struct socket *, struct so_crypt *);
int	so_crypt_ready(const struct so_crypt *);

/* The hooks. */
#define so_crypted(sb)	((sb)->sb_crypt != NULL)

int	so_crypt_setopt(struct socket *, struct mbuf *);
int	so_crypt_getopt(struct socket *, struct mbuf *);
void	so_crypt_free(struct sockbuf *);
void	so_crypt_flush(struct sockbuf *);
void	so_crypt_gather(struct socket *);
long	so_crypt_avail(struct sockbuf *);
int	so_crypt_nread(struct sockbuf *);
int	so_crypt_send(struct socket *, struct mbuf **, struct mbuf **, long *,
	    size_t *, struct uio *, int);
int	so_crypt_receive(struct socket *, struct uio *, struct mbuf **,
	    struct mbuf **, int *, int, socklen_t);

#else /* CRYPTO && !SMALL_KERNEL */

#define so_crypted(sb)				0
#define so_crypt_setopt(so, m)			ENOPROTOOPT
#define so_crypt_getopt(so, m)			ENOPROTOOPT
#define so_crypt_free(sb)			do { } while (0)
#define so_crypt_flush(sb)			do { } while (0)
#define so_crypt_gather(so)			do { } while (0)
#define so_crypt_avail(sb)			0
#define so_crypt_nread(sb)			0
#define so_crypt_send(so, mp, cp, sp, rp, uio, f)	EOPNOTSUPP
#define so_crypt_receive(so, uio, mp, cp, fp, f, l)	EOPNOTSUPP

#endif /* CRYPTO && !SMALL_KERNEL */
#endif /* _SYS_SO_CRYPTVAR_H_ */
