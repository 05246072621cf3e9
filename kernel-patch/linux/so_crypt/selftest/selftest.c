// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include "selftest.h"

int scr_selftest(void)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} tests[] = {
		{ "MAC over a secret length", scr_selftest_mac },
		{ "RFC 8448 record", scr_selftest_vectors },
		{ "sealing and opening", scr_selftest_frames },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		const int err = tests[i].run();

		if (err) {
			pr_err("so_crypt: selftest failed: %s (%d)\n",
			       tests[i].name, err);
			return -EINVAL;
		}
	}
	pr_info("so_crypt: all self-tests pass\n");
	return 0;
}
