/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels this builds for, 6.1 and newer. */
#ifndef _SO_CRYPT_COMPAT_H
#define _SO_CRYPT_COMPAT_H

#include <linux/crypto.h>
#include <linux/version.h>
#include <net/sock.h>

#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* sendpage() gave way to MSG_SPLICE_PAGES. */
#if KERNEL_VERSION(6, 5, 0) > LINUX_VERSION_CODE
#define SCR_HAVE_SENDPAGE
#endif

/* A completion gets its data, not the request. */
#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
#define SCR_COMPLETION_ARG	struct crypto_async_request *
#define SCR_COMPLETION_DATA(x)	((x)->data)
#else
#define SCR_COMPLETION_ARG	void *
#define SCR_COMPLETION_DATA(x)	(x)
#endif

/* ChaCha20's state was an array of words. */
#ifdef SCR_HAVE_CHACHA_STATE
#define scr_chacha_words(state)	(state)
#else
struct chacha_state {
	u32 words[16];
};

#define scr_chacha_words(state)	((state)->words)
#endif

/* A single block of AES */
#ifdef SCR_HAVE_AES_KEY
#define scr_aes_key	aes_key
#define scr_aes_expand	aes_preparekey
#else
#define scr_aes_key	crypto_aes_ctx
#define scr_aes_expand	aes_expandkey
#endif

/* recvmsg() has lost its last parameter. */
static inline int scr_base_recvmsg(const struct proto *base, struct sock *sk,
				   struct msghdr *msg, size_t len, int flags,
				   int *addr_len)
{
#ifdef SCR_HAVE_ADDR_LEN
	return base->recvmsg(sk, msg, len, flags, addr_len);
#else
	return base->recvmsg(sk, msg, len, flags);
#endif
}

#ifndef ITER_SOURCE
#define ITER_SOURCE	WRITE
#endif

/* Out of a kernel tree the poll, splice and proto_ops tables are plain. */
#if KERNEL_VERSION(6, 5, 0) <= LINUX_VERSION_CODE
#define scr_splice_file_read	copy_splice_read
#else
#define scr_splice_file_read	generic_file_splice_read
#endif
#endif
