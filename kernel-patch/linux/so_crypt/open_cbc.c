// SPDX-License-Identifier: GPL-2.0
/*
 * The MAC and the padding of a decrypted MAC-then-encrypt record, checked
 * together and in a time that tells nothing of either: RFC 5246 6.2.3.2,
 * RFC 9325 and mac_ct.c.
 */
#include <crypto/algapi.h>
#include <linux/string.h>
#include "ct.h"
#include "mac.h"
#include "record.h"

enum { MAX_PADDING = 256 };

/* All ones when the last `padding` + 1 bytes are the padding. */
static u32 padding_is_good(const u8 *text, u32 len, u32 tag, u32 padding)
{
	const u32 look = min_t(u32, MAX_PADDING, len);
	u32 good = ~scr_ct_lt(len, padding + 1 + tag);
	u32 i;

	for (i = 0; i < look; i++) {
		const u32 inside = scr_ct_lt(i, padding + 1);

		good &= ~inside | scr_ct_eq(text[len - 1 - i], padding);
	}
	return good;
}

/*
 * The MAC from a secret place: every byte that it could have is looked at. It is
 * gathered rotated, as it comes, and turned in place.
 */
static void extract_mac(const u8 *text, u32 len, u32 tag, u32 at, u8 *out)
{
	const u32 first = len > tag + MAX_PADDING ? len - tag - MAX_PADDING : 0;
	u8 rotated[SCR_MAX_TAG] = {};
	u32 rotation = 0, i, j;

	for (i = first, j = 0; i < len; i++) {
		const u32 inside = ~scr_ct_lt(i, at) & scr_ct_lt(i, at + tag);

		rotated[j] |= text[i] & inside;
		rotation |= j & scr_ct_eq(i, at);
		if (++j == tag)
			j = 0;
	}
	for (i = 0; i < tag; i++) {
		out[i] = 0;
		for (j = 0; j < tag; j++)
			out[i] |= rotated[j] & scr_ct_eq(j, rotation);
		rotation++;
		rotation &= scr_ct_lt(rotation, tag);
	}
}

int scr_open_mte(struct scr_direction *d, u64 sequence, const u8 *header,
		 u8 *text, u32 len, struct scr_opened *out)
{
	const struct scr_layout *l = &d->layout;
	const u32 longest = len - l->tag - 1;
	u8 assoc[SCR_MAX_ASSOC], mac[SCR_MAX_TAG], expected[SCR_MAX_TAG];
	u32 padding, good, payload, n;
	int err;

	padding = text[len - 1];
	good = padding_is_good(text, len, l->tag, padding);
	/* With bad padding go on as if there were none. */
	padding &= good;
	payload = longest - padding;

	n = scr_build_assoc(l, header, sequence, payload, assoc);
	err = scr_ct_hmac(d->ct_mac, assoc, n, text, payload, longest,
			  MAX_PADDING - 1, mac);
	if (err)
		return err;
	extract_mac(text, len, l->tag, payload, expected);
	good &= scr_ct_eq(crypto_memneq(mac, expected, l->tag) != 0, 0);
	if (!good)
		return -EBADMSG;
	out->len = payload;
	return 0;
}
