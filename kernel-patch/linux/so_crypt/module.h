/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SO_CRYPT_MODULE_H
#define _SO_CRYPT_MODULE_H

#include <linux/types.h>

struct workqueue_struct;

extern struct workqueue_struct *scr_workqueue;
extern struct workqueue_struct *scr_mac_workqueue;
extern bool scr_spread;
u16 scr_default_depth(void);
#endif
