/* SPDX-License-Identifier: GPL-2.0 */
/* Which frame is the last one under its keys. */
#ifndef _SO_CRYPT_KEY_CHANGE_H
#define _SO_CRYPT_KEY_CHANGE_H

#include <linux/types.h>

struct scr_direction;

/* How far the handshake messages under a key are known (RFC 8446 4). */
struct scr_messages {
	u8 head[4];			/* of this one: type and length */
	u8 have;			/* bytes of it that are here */
	u32 left;			/* bytes to come behind a whole head */
};

bool scr_changes_keys(struct scr_messages *m, const struct scr_direction *d,
		      u8 type, const u8 *text, u32 len);
#endif
