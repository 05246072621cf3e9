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
 * SO_CRYPT: a direction's keys, from what setsockopt(2) gave.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/so_cryptvar.h>

#include <crypto/aes.h>
#include <crypto/sha2.h>

/*
 * A name that tells keys apart and not what they are.
 */
static void
so_crypt_key_id(const struct so_crypt_key *sk,
    const struct so_crypt_info *info, u_int8_t *id)
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, sk->sk_salt, sizeof(sk->sk_salt));
	SHA256Update(&ctx, info->key, sizeof(info->key));
	SHA256Final(id, &ctx);
	explicit_bzero(&ctx, sizeof(ctx));
}

int
so_crypt_key_same(const struct so_crypt_key *sk,
    const struct so_crypt_info *info)
{
	u_int8_t id[sizeof(sk->sk_id)];

	so_crypt_key_id(sk, info, id);
	return (timingsafe_bcmp(id, sk->sk_id, sizeof(id)) == 0);
}

static int
so_crypt_unused(const u_int8_t *p, size_t from, size_t to)
{
	u_int8_t bits = 0;

	while (from < to)
		bits |= p[from++];
	return (bits == 0);
}

/*
 * What any protocol asks of the option: lengths in range, what is not used 0.
 */
static int
so_crypt_info_check(const struct so_crypt_info *info)
{
	if (info->protocol != SO_CRYPT_CUSTOM && (info->protocol <
	    SO_CRYPT_TLS_1_0 || info->protocol > SO_CRYPT_SSH))
		return (EINVAL);
	if ((info->flags & ~SO_CRYPT_ETM) != 0 ||
	    info->depth > SO_CRYPT_MAX_DEPTH ||
	    info->key_len > SO_CRYPT_MAX_KEY ||
	    info->mac_key_len > SO_CRYPT_MAX_KEY ||
	    info->iv_len > SO_CRYPT_MAX_IV ||
	    info->cipher[SO_CRYPT_NAME_LEN - 1] != '\0' ||
	    info->mac[SO_CRYPT_NAME_LEN - 1] != '\0')
		return (EINVAL);
	if (!so_crypt_unused(info->reserved1, 0, sizeof(info->reserved1)) ||
	    !so_crypt_unused(info->reserved2, 0, sizeof(info->reserved2)) ||
	    !so_crypt_unused(info->key, info->key_len, sizeof(info->key)) ||
	    !so_crypt_unused(info->mac_key, info->mac_key_len,
	    sizeof(info->mac_key)) ||
	    !so_crypt_unused(info->iv, info->iv_len, sizeof(info->iv)))
		return (EINVAL);
	if (info->max_payload > (info->protocol < SO_CRYPT_SSH ?
	    SO_CRYPT_TLS_MAX : 65536))
		return (EINVAL);
	return (0);
}

/*
 * The cipher and, if it needs one, the MAC.
 */
static int
so_crypt_key_algs(const struct so_crypt_info *info, struct so_crypt_key *sk)
{
	const struct so_crypt_cipher *cc;
	int error, full;

	cc = sk->sk_cipher = so_crypt_cipher(info->cipher, info->protocol,
	    &error);
	if (cc == NULL)
		return (error);
	if (info->key_len < cc->cc_minkey || info->key_len > cc->cc_maxkey ||
	    (info->key_len & 7) != 0)
		return (EINVAL);

	switch (cc->cc_mode) {
	case SO_CRYPT_MODE_GCM:
	case SO_CRYPT_MODE_CCM:
	case SO_CRYPT_MODE_CHACHA:
	case SO_CRYPT_MODE_CHACHASSH:
		if (info->mac[0] != '\0' || info->mac_key_len != 0)
			return (EINVAL);
		/* GCM: SP 800-38D 5.2.1.2; the others are not cut. */
		full = 16;
		if (cc->cc_mode == SO_CRYPT_MODE_CCM && info->tag_len == 8)
			break;		/* RFC 6655 4 */
		if (info->tag_len != 0 && info->tag_len != full &&
		    (cc->cc_mode != SO_CRYPT_MODE_GCM ||
		    info->protocol != SO_CRYPT_CUSTOM || info->tag_len < 12))
			return (EINVAL);
		break;
	default:
		if (info->mac[0] == '\0')
			return (EINVAL);
		sk->sk_mac = so_crypt_mac(info->mac);
		if (sk->sk_mac == NULL)
			return (ENOENT);
		full = sk->sk_mac->cm_len;
		if (info->mac_key_len == 0)
			return (EINVAL);
		if (info->tag_len != 0 && (info->tag_len < 10 ||
		    info->tag_len > full || (info->tag_len != full &&
		    info->protocol < SO_CRYPT_SSH)))
			return (EINVAL);
		break;
	}
	if (info->tag_len > full)
		return (EINVAL);
	sk->sk_tag = info->tag_len != 0 ? info->tag_len : full;
	return (0);
}

/*
 * Counters and IVs at their start.
 */
static int
so_crypt_key_start(const struct so_crypt_info *info, struct so_crypt_key *sk)
{
	const struct so_crypt_cipher *cc = sk->sk_cipher;
	int i, counted = cc->cc_mode == SO_CRYPT_MODE_GCM ||
	    cc->cc_mode == SO_CRYPT_MODE_CCM;

	sk->sk_seq = info->sequence;
	memcpy(sk->sk_iv, info->iv, sizeof(sk->sk_iv));
	sk->sk_counter = info->sequence;
	if (counted && info->iv_len == 12 &&
	    (info->protocol == SO_CRYPT_SSH ||
	    info->protocol == SO_CRYPT_TLS_1_2)) {
		/* Behind four bytes of salt. */
		for (sk->sk_counter = 0, i = 4; i < 12; i++)
			sk->sk_counter = sk->sk_counter << 8 | info->iv[i];
	}

	if (info->protocol == SO_CRYPT_SSH)
		sk->sk_limit = 1ULL << 32;	/* RFC 4344 3.1 */
	else if (counted)
		sk->sk_limit = 23726566;	/* RFC 8446 5.5 */
	else if (cc->cc_alg != 0 && cc->cc_block == 8 &&
	    cc->cc_mode == SO_CRYPT_MODE_CBC)
		sk->sk_limit = 1ULL << 21;
	else
		sk->sk_limit = 1ULL << 48;
	if (info->limit != 0)
		sk->sk_limit = info->limit;

	/* No number may come twice under the key. */
	if (info->protocol == SO_CRYPT_SSH) {
		if (info->sequence > UINT32_MAX || sk->sk_limit > 1ULL << 32)
			return (EINVAL);
	} else if (sk->sk_limit > UINT64_MAX - info->sequence)
		return (EINVAL);
	return (0);
}

/*
 * SSH has no layout; what it needs of the option (see so_crypt.h).
 */
static int
so_crypt_key_ssh(const struct so_crypt_info *info, struct so_crypt_key *sk)
{
	static const struct so_crypt_layout zero;
	int iv_len;

	if (memcmp(&info->layout, &zero, sizeof(zero)) != 0)
		return (EINVAL);
	switch (sk->sk_cipher->cc_mode) {
	case SO_CRYPT_MODE_GCM:
		iv_len = 12;
		break;
	case SO_CRYPT_MODE_CHACHASSH:
		iv_len = 0;
		break;
	case SO_CRYPT_MODE_CBC:
		/* The length is decrypted by itself: AES alone. */
		if ((info->flags & SO_CRYPT_ETM) == 0 &&
		    sk->sk_cipher->cc_block != SO_CRYPT_MAX_BLOCK)
			return (ENOENT);
		/* FALLTHROUGH */
	default:
		iv_len = sk->sk_cipher->cc_block;
		break;
	}
	if ((info->flags & SO_CRYPT_ETM) && sk->sk_mac == NULL)
		return (EINVAL);
	return (info->iv_len == iv_len ? 0 : EINVAL);
}

/*
 * Check info and make keys of it.  May sleep; holds no lock.
 */
int
so_crypt_key_new(const struct so_crypt_info *info, struct so_crypt_key **skp)
{
	struct so_crypt_key *sk;
	int error;

	if ((error = so_crypt_info_check(info)) != 0)
		return (error);

	sk = malloc(sizeof(*sk), M_CRYPTO_DATA, M_WAITOK | M_ZERO);
	sk->sk_protocol = info->protocol;
	sk->sk_flags = info->flags;
	sk->sk_write = info->direction == SO_CRYPT_WRITE;
	sk->sk_depth = info->depth;
	sk->sk_max_payload = info->max_payload != 0 ? info->max_payload :
	    info->protocol == SO_CRYPT_SSH ? 32768 : SO_CRYPT_TLS_MAX;

	if ((error = so_crypt_key_algs(info, sk)) != 0)
		goto fail;
	if (info->protocol == SO_CRYPT_SSH)
		error = so_crypt_key_ssh(info, sk);
	else
		error = so_crypt_frame(info, sk);
	if (error == 0)
		error = so_crypt_key_start(info, sk);
	if (error != 0)
		goto fail;

	if (!sk->sk_write && sk->sk_mac != NULL &&
	    sk->sk_frame.cf_layout.order == SO_CRYPT_ORDER_MAC_THEN_ENCRYPT)
		error = so_crypt_hash_new(sk->sk_mac, info->mac_key,
		    info->mac_key_len, &sk->sk_hash);
	if (error == 0)
		error = so_crypt_session(sk, info);
	if (error == 0 && info->protocol == SO_CRYPT_SSH)
		error = so_crypt_ssh_start(sk, info);
	if (error != 0)
		goto fail;

	arc4random_buf(sk->sk_salt, sizeof(sk->sk_salt));
	so_crypt_key_id(sk, info, sk->sk_id);
	*skp = sk;
	return (0);

fail:
	so_crypt_key_free(sk);
	return (error);
}

void
so_crypt_key_free(struct so_crypt_key *sk)
{
	if (sk == NULL)
		return;
	so_crypt_session_free(sk);
	so_crypt_hash_free(sk->sk_hash);
	if (sk->sk_peek != NULL)
		explicit_bzero(sk->sk_peek, sizeof(*sk->sk_peek));
	free(sk->sk_peek, M_CRYPTO_DATA, sizeof(*sk->sk_peek));
	explicit_bzero(sk, sizeof(*sk));
	free(sk, M_CRYPTO_DATA, sizeof(*sk));
}
