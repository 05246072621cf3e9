/* SPDX-License-Identifier: GPL-2.0 */
/* Vectors and properties, run when a debug build is loaded. */
#ifndef _SO_CRYPT_SELFTEST_H
#define _SO_CRYPT_SELFTEST_H

#ifdef SO_CRYPT_DEBUG
int scr_selftest(void);
int scr_selftest_mac(void);
int scr_selftest_vectors(void);
int scr_selftest_frames(void);
#else
static inline int scr_selftest(void)
{
	return 0;
}
#endif
#endif
