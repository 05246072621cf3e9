// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the bytes that a process has the kernel copy between its memory and
 * the kernel's: parameter `pid` names it, `bytes` is the sum. For bench/paper;
 * ftrace can't, because the routines are not traceable.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static int pid;
module_param(pid, int, 0644);

static atomic_long_t copied;

static int get_bytes(char *out, const struct kernel_param *param)
{
	return sysfs_emit(out, "%ld\n", atomic_long_read(&copied));
}

static int set_bytes(const char *in, const struct kernel_param *param)
{
	atomic_long_set(&copied, 0);
	return 0;
}

static const struct kernel_param_ops bytes_ops = {
	.get = get_bytes, .set = set_bytes,
};

module_param_cb(bytes, &bytes_ops, NULL, 0644);

static int before(struct kprobe *probe, struct pt_regs *regs)
{
	if (current->tgid == READ_ONCE(pid))
		atomic_long_add(regs->dx, &copied);
	return 0;
}

/*
 * x86 up to Linux 6.3: whatever copies more than a word ends in one of these,
 * the processor's features say in which, with the length as third argument.
 */
static struct kprobe probes[] = {
	{ .symbol_name = "copy_user_generic_unrolled", .pre_handler = before },
	{ .symbol_name = "copy_user_generic_string", .pre_handler = before },
	{ .symbol_name = "copy_user_enhanced_fast_string",
	  .pre_handler = before },
};

static void stop(unsigned int n)
{
	while (n--)
		unregister_kprobe(&probes[n]);
}

static int __init copied_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = register_kprobe(&probes[i]);
		if (err) {
			stop(i);
			return err;
		}
	}
	return 0;
}

static void __exit copied_exit(void)
{
	stop(ARRAY_SIZE(probes));
}

module_init(copied_init);
module_exit(copied_exit);

MODULE_DESCRIPTION("Counts bytes copied between user and kernel");
MODULE_LICENSE("GPL");
