// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/workqueue.h>
#include <net/tcp.h>
#include "context.h"
#include "module.h"
#include "selftest/selftest.h"

struct workqueue_struct *scr_workqueue;
/* Not the same: what is here has to go on while the other waits for sockets. */
struct workqueue_struct *scr_mac_workqueue;

static ushort depth = SO_CRYPT_MAX_DEPTH;
module_param(depth, ushort, 0644);
MODULE_PARM_DESC(depth,
		 "frames that may be with an asynchronous cipher at a time");

bool scr_spread = true;
module_param_named(spread, scr_spread, bool, 0644);
MODULE_PARM_DESC(spread,
		 "compute MACs beside a device on all CPUs");

u16 scr_default_depth(void)
{
	return clamp_t(u16, READ_ONCE(depth), 1, SO_CRYPT_MAX_DEPTH);
}

static int __init so_crypt_init(void)
{
	int err;

	err = scr_selftest();
	if (err)
		return err;
	scr_workqueue = alloc_workqueue("so_crypt",
					WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!scr_workqueue)
		return -ENOMEM;
	scr_mac_workqueue = alloc_workqueue("so_crypt_mac",
					    WQ_UNBOUND | WQ_MEM_RECLAIM,
					    num_possible_cpus());
	err = -ENOMEM;
	if (scr_mac_workqueue)
		err = tcp_register_ulp(&scr_ulp_ops);
	if (!err)
		return 0;
	if (scr_mac_workqueue)
		destroy_workqueue(scr_mac_workqueue);
	destroy_workqueue(scr_workqueue);
	return err;
}

static void __exit so_crypt_exit(void)
{
	/* Every socket holds the module; those that had it are gone by now. */
	tcp_unregister_ulp(&scr_ulp_ops);
	destroy_workqueue(scr_mac_workqueue);
	destroy_workqueue(scr_workqueue);
}

module_init(so_crypt_init);
module_exit(so_crypt_exit);

MODULE_DESCRIPTION("Sockets that encrypt and authenticate whole records");
MODULE_LICENSE("GPL");
MODULE_ALIAS_TCP_ULP(SO_CRYPT_ULP);
