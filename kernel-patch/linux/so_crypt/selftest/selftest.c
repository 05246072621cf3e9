// SPDX-License-Identifier: GPL-2.0
#include "selftest.h"

int scr_selftest(void)
{
	return 0;
}
