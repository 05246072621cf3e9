// SPDX-License-Identifier: GPL-2.0
/* What says that the frames behind it have other keys. */
#include <linux/minmax.h>
#include "direction.h"
#include "key_change.h"
#include "record.h"

/*
 * Whether there is a KeyUpdate among the handshake messages of a record of TLS
 * 1.3. They may go on from record to record (RFC 8446 5.1), and it may be
 * behind others.
 */
static bool has_key_update(struct scr_messages *m, const u8 *text, u32 len)
{
	bool found = false;

	while (len) {
		if (m->have < sizeof(m->head)) {
			m->head[m->have++] = *text++;
			len--;
			if (m->have < sizeof(m->head))
				continue;
			m->left = m->head[1] << 16 | m->head[2] << 8 |
				  m->head[3];
		} else {
			const u32 n = min(m->left, len);

			m->left -= n;
			text += n;
			len -= n;
		}
		if (!m->left) {		/* the message is complete */
			found |= m->head[0] == SCR_TLS_KEY_UPDATE;
			m->have = 0;
		}
	}
	return found;
}

/* Of an opened frame: SSH_MSG_NEWKEYS and KeyUpdate. */
bool scr_changes_keys(struct scr_messages *m, const struct scr_direction *d,
		      u8 type, const u8 *text, u32 len)
{
	switch (d->protocol) {
	case SO_CRYPT_SSH:
		return len && *text == SCR_SSH_NEWKEYS;
	case SO_CRYPT_TLS_1_3:
		return type == SCR_TYPE_HANDSHAKE &&
		       has_key_update(m, text, len);
	}
	return false;
}
