/* SPDX-License-Identifier: GPL-2.0 */
/* Comparisons without branches: all ones when true, else zero. */
#ifndef _SO_CRYPT_CT_H
#define _SO_CRYPT_CT_H

#include <linux/compiler.h>
#include <linux/types.h>

static inline u32 scr_ct_msb(u32 a)
{
	u32 mask = 0 - (a >> 31);

	OPTIMIZER_HIDE_VAR(mask);
	return mask;
}

static inline u32 scr_ct_lt(u32 a, u32 b)
{
	return scr_ct_msb(a ^ ((a ^ b) | ((a - b) ^ b)));
}

static inline u32 scr_ct_eq(u32 a, u32 b)
{
	const u32 x = a ^ b;

	return scr_ct_msb(~x & (x - 1));
}

static inline u32 scr_ct_select(u32 mask, u32 a, u32 b)
{
	return (mask & a) | (~mask & b);
}
#endif
