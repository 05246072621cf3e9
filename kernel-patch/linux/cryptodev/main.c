// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/crypto: the kernel's crypto API for programs. The ABI is described in
 * include/uapi/linux/cryptodev.h.
 */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"

static int cd_open(struct inode *inode, struct file *filp)
{
	struct cd_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	cd_table_init(file);
	filp->private_data = file;
	return 0;
}

static int cd_release(struct inode *inode, struct file *filp)
{
	cd_table_destroy(filp->private_data);
	kfree(filp->private_data);
	return 0;
}

/* CRIOGET: another descriptor of the same file. */
static int clone_descriptor(struct file *filp, u32 __user *arg)
{
	int fd = get_unused_fd_flags(0);

	if (fd < 0)
		return fd;
	if (put_user(fd, arg)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, get_file(filp));
	return 0;
}

static int session_by_driver(struct cd_file *file, struct session_driver_op __user *arg)
{
	struct session_driver_op op;
	struct cd_session_spec spec;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.flags)
		return -EINVAL;
	err = cd_check_driver_name(op.cipher_driver);
	if (!err)
		err = cd_check_driver_name(op.mac_driver);
	if (err)
		return err;
	spec = (struct cd_session_spec){
		.cipher = op.cipher, .key = u64_to_user_ptr(op.key), .keylen = op.keylen,
		.mac = op.mac, .mackey = u64_to_user_ptr(op.mackey), .mackeylen = op.mackeylen,
		.cipher_driver = op.cipher_driver, .mac_driver = op.mac_driver,
	};
	err = cd_open_session(file, &spec, &op.ses);
	if (!err && put_user(op.ses, &arg->ses)) {
		cd_close_session(file, op.ses);
		err = -EFAULT;
	}
	return err;
}

static int session_info(struct cd_file *file, struct session_info_op __user *arg)
{
	struct session_info_op info;
	struct cd_session *session;

	if (get_user(info.ses, &arg->ses))
		return -EFAULT;
	session = cd_session_get(file, info.ses);
	if (IS_ERR(session))
		return PTR_ERR(session);
	cd_session_describe(session, &info);
	cd_session_put(session);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* The ioctls whose structures are the same for programs of 32 and 64 bits. */
long cd_ioctl_common(struct file *filp, unsigned int cmd, void __user *arg)
{
	struct cd_file *file = filp->private_data;
	struct cphash_op copy;
	u32 id;

	switch (cmd) {
	case CRIOGET:
		return clone_descriptor(filp, arg);
	case CIOCASYMFEAT:
		return put_user(0, (u32 __user *)arg);
	case CIOCFSESSION:
		if (get_user(id, (u32 __user *)arg))
			return -EFAULT;
		return cd_close_session(file, id);
	case CIOCGSESSDRV:
		return session_by_driver(file, arg);
	case CIOCGSESSINFO:
		return session_info(file, arg);
	case CIOCCPHASH:
		if (copy_from_user(&copy, arg, sizeof(copy)))
			return -EFAULT;
		return cd_copy_hash(file, &copy);
	case CIOCKEY:
	case CIOCASYNCCRYPT:
	case CIOCASYNCFETCH:
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}

static int session_by_kernel(struct cd_file *file, struct session_op __user *arg)
{
	struct session_op op;
	struct cd_session_spec spec;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	spec = (struct cd_session_spec){
		.cipher = op.cipher, .key = op.key, .keylen = op.keylen,
		.mac = op.mac, .mackey = op.mackey, .mackeylen = op.mackeylen,
		.cipher_driver = "", .mac_driver = "",
	};
	err = cd_open_session(file, &spec, &op.ses);
	if (!err && put_user(op.ses, &arg->ses)) {
		cd_close_session(file, op.ses);
		err = -EFAULT;
	}
	return err;
}

static long cd_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct cd_file *file = filp->private_data;
	void __user *argp = (void __user *)arg;
	struct crypt_auth_op auth;
	struct crypt_op op;
	int err;

	switch (cmd) {
	case CIOCGSESSION:
		return session_by_kernel(file, argp);
	case CIOCCRYPT:
		if (copy_from_user(&op, argp, sizeof(op)))
			return -EFAULT;
		return cd_crypt(file, &op);
	case CIOCAUTHCRYPT:
		if (copy_from_user(&auth, argp, sizeof(auth)))
			return -EFAULT;
		err = cd_authcrypt(file, &auth);
		if (!err && copy_to_user(argp, &auth, sizeof(auth)))
			err = -EFAULT;
		return err;
	default:
		return cd_ioctl_common(filp, cmd, argp);
	}
}

static const struct file_operations cd_fops = {
	.owner = THIS_MODULE,
	.open = cd_open,
	.release = cd_release,
	.unlocked_ioctl = cd_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = cd_compat_ioctl,
#endif
};

static struct miscdevice cd_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "crypto",
	.fops = &cd_fops,
	.mode = 0666,
};
module_misc_device(cd_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("/dev/crypto: ciphers, hashes and MACs for programs");
