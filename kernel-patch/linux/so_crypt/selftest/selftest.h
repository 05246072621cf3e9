/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SO_CRYPT_SELFTEST_H
#define _SO_CRYPT_SELFTEST_H

#ifdef SO_CRYPT_DEBUG
int scr_selftest(void);
#else
static inline int scr_selftest(void)
{
	return 0;
}
#endif
#endif
