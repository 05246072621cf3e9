// SPDX-License-Identifier: GPL-2.0
/* A published record, and frames of every layout there and back. */
#include <linux/err.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../record.h"
#include "../tx.h"
#include "selftest.h"

static int seal(struct scr_direction *d, struct scr_record *r)
{
	struct scr_tx tx = { .closing = true, .in_cipher = 1 };
	int err;

	init_waitqueue_head(&tx.wait);
	spin_lock_init(&tx.lock);
	r->tx = &tx;
	scr_seal_prepare(d, r);
	err = scr_seal_mac(d, r) ?: scr_seal_encrypt(d, r);
	if (err == -EINPROGRESS || err == -EBUSY) {
		scr_tx_wait_cipher(&tx);
		err = r->err;
	}
	return err ?: scr_seal_finish(d, r);
}

/* RFC 8448 3: the client's application data */
int scr_selftest_vectors(void)
{
	static const u8 key[] = {
		0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9,
		0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f, 0x50, 0x51,
	};
	static const u8 iv[] = {
		0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5,
		0x23, 0xd9,
	};
	static const u8 frame[] = {
		0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6,
		0x2c, 0x94, 0xd0, 0xaf, 0xfa, 0xfe, 0x82, 0x28, 0xba, 0x55,
		0xcb, 0xef, 0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc,
		0xab, 0x3f, 0x2b, 0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39,
		0x5b, 0xd5, 0x4a, 0x9a, 0x20, 0x44, 0x1e, 0x2b, 0x62, 0x97,
		0x4e, 0x1f, 0x5a, 0x62, 0x92, 0xa2, 0x97, 0x70, 0x14, 0xbd,
		0x1e, 0x3d, 0xea, 0xe6, 0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49,
		0x15, 0xe4,
	};
	static struct so_crypt_info info = {
		.operation = SO_CRYPT_ARM,
		.direction = SO_CRYPT_WRITE,
		.protocol = SO_CRYPT_TLS_1_3,
		.cipher = "gcm(aes)",
		.key_len = sizeof(key),
		.iv_len = sizeof(iv),
	};
	struct scr_direction *d;
	struct scr_record *r;
	int err = -ENOMEM, i;

	memcpy(info.key, key, sizeof(key));
	memcpy(info.iv, iv, sizeof(iv));
	d = scr_direction_create(&info);
	if (IS_ERR(d))
		return PTR_ERR(d);
	r = scr_record_alloc(d, 50, GFP_KERNEL);
	if (r) {
		r->type = SCR_TYPE_DATA;
		r->payload = 50;
		for (i = 0; i < 50; i++)
			r->data[SCR_TLS_HEADER + i] = i;
		err = seal(d, r);
		if (!err && (r->len != sizeof(frame) ||
			     memcmp(r->data, frame, sizeof(frame))))
			err = -EBADMSG;
		scr_record_free(r);
	}
	scr_direction_free(d);
	return err;
}

static int unseal(struct scr_direction *d, u8 *frame, u32 len,
		  struct scr_opened *out)
{
	struct scr_opening *o = scr_opening_alloc(d, frame, len, GFP_KERNEL);
	int err;

	if (!o)
		return -ENOMEM;
	scr_open_start(d, o);
	err = scr_open_finish(d, o, out);
	kfree_sensitive(o);
	return err;
}

static int there_and_back(struct scr_direction *out, struct scr_direction *in,
			  u32 size)
{
	const u32 offset = scr_payload_offset(&out->layout);
	struct scr_opened plain;
	struct scr_record *r;
	u8 *copy;
	int err;

	r = scr_record_alloc(out, size, GFP_KERNEL);
	copy = kmalloc(size + 1, GFP_KERNEL);
	err = r && copy ? 0 : -ENOMEM;
	if (!err) {
		r->type = SCR_TYPE_DATA;
		r->payload = size;
		get_random_bytes(r->data + offset, size);
		memcpy(copy, r->data + offset, size);
		err = seal(out, r);
	}
	if (!err && scr_frame_length(in, r->data) != r->len)
		err = -EMSGSIZE;
	if (!err)
		err = unseal(in, r->data, r->len, &plain);
	if (!err && (plain.len != size || plain.type != SCR_TYPE_DATA ||
		     memcmp(r->data + plain.offset, copy, size)))
		err = -EBADMSG;
	if (r)
		scr_record_free(r);
	kfree(copy);
	return err;
}

static int test(struct so_crypt_info *info)
{
	struct scr_direction *out, *in;
	int err = 0;
	u32 size;

	info->direction = SO_CRYPT_WRITE;
	out = scr_direction_create(info);
	info->direction = SO_CRYPT_READ;
	in = scr_direction_create(info);
	if (IS_ERR(out) || IS_ERR(in))
		err = IS_ERR(out) ? PTR_ERR(out) : PTR_ERR(in);
	for (size = 1; !err && size <= 16384; size = size < 70 ? size + 1 :
							     size * 3 + 1)
		err = there_and_back(out, in, size);
	if (!IS_ERR(in))
		scr_direction_free(in);
	if (!IS_ERR(out))
		scr_direction_free(out);
	return err;
}

int scr_selftest_frames(void)
{
	static const struct {
		u8 protocol, flags, key, iv, mac_key;
		const char *cipher, *mac;
	} cases[] = {
		{ SO_CRYPT_TLS_1_3, 0, 32, 12, 0, "gcm(aes)", "" },
		{ SO_CRYPT_TLS_1_2, 0, 16, 4, 0, "gcm(aes)", "" },
		{ SO_CRYPT_TLS_1_2, 0, 16, 4, 0, "ccm(aes)", "" },
		{ SO_CRYPT_TLS_1_2, 0, 16, 0, 32, "cbc(aes)", "hmac(sha256)" },
		{ SO_CRYPT_TLS_1_2, 1, 16, 0, 48, "cbc(aes)", "hmac(sha384)" },
		{ SO_CRYPT_TLS_1_0, 0, 16, 16, 20, "cbc(aes)", "hmac(sha1)" },
		{ SO_CRYPT_SSH, 0, 16, 12, 0, "gcm(aes)", "" },
		{ SO_CRYPT_SSH, 0, 16, 16, 20, "ctr(aes)", "hmac(sha1)" },
		{ SO_CRYPT_SSH, 1, 16, 16, 64, "ctr(aes)", "hmac(sha512)" },
		{ SO_CRYPT_SSH, 0, 32, 16, 32, "cbc(aes)", "hmac(sha256)" },
		{ SO_CRYPT_SSH, 0, 64, 0, 0, "chacha20-poly1305@openssh.com",
		  "" },
	};
	struct so_crypt_info *info;
	unsigned int i;
	int err = 0;

	info = kmalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(cases) && !err; i++) {
		memset(info, 0, sizeof(*info));
		info->operation = SO_CRYPT_ARM;
		info->protocol = cases[i].protocol;
		info->flags = cases[i].flags;
		info->key_len = cases[i].key;
		info->iv_len = cases[i].iv;
		info->mac_key_len = cases[i].mac_key;
		strscpy(info->cipher, cases[i].cipher, sizeof(info->cipher));
		strscpy(info->mac, cases[i].mac, sizeof(info->mac));
		get_random_bytes(info->key, info->key_len);
		get_random_bytes(info->mac_key, info->mac_key_len);
		get_random_bytes(info->iv, info->iv_len);
		err = test(info);
	}
	kfree_sensitive(info);
	return err;
}
