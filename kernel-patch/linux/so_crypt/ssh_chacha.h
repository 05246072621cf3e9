/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SO_CRYPT_SSH_CHACHA_H
#define _SO_CRYPT_SSH_CHACHA_H

#include <linux/types.h>

struct scr_ssh_chacha;

struct scr_ssh_chacha *scr_ssh_chacha_create(const u8 *key);
void scr_ssh_chacha_free(struct scr_ssh_chacha *c);
void scr_ssh_chacha_length(const struct scr_ssh_chacha *c, u64 sequence,
			   const u8 *in, u8 *out);
void scr_ssh_chacha_seal(const struct scr_ssh_chacha *c, u64 sequence,
			 u8 *frame, u32 len);
bool scr_ssh_chacha_open(const struct scr_ssh_chacha *c, u64 sequence,
			 u8 *frame, u32 len);
#endif
