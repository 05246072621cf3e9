// SPDX-License-Identifier: GPL-2.0
/* Programs of 32 bits on a kernel of 64: the structures that hold pointers. */
#ifdef CONFIG_COMPAT
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "internal.h"

struct compat_session_op {
	u32 cipher, mac;
	u32 keylen;
	compat_uptr_t key;
	u32 mackeylen;
	compat_uptr_t mackey;
	u32 ses;
};

struct compat_crypt_op {
	u32 ses;
	u16 op, flags;
	u32 len;
	compat_uptr_t src, dst, mac, iv;
};

struct compat_crypt_auth_op {
	u32 ses;
	u16 op, flags;
	u32 len, auth_len;
	compat_uptr_t auth_src, src, dst, tag;
	u32 tag_len;
	compat_uptr_t iv;
	u32 iv_len;
};

struct compat_crparam {
	compat_uptr_t crp_p;
	u32 crp_nbits;
};

struct compat_crypt_kop {
	u32 crk_op, crk_status;
	u16 crk_iparams, crk_oparams;
	u32 crk_pad1;
	struct compat_crparam crk_param[CRK_MAXPARAM];
};

#define COMPAT_CIOCGSESSION	_IOWR('c', 102, struct compat_session_op)
#define COMPAT_CIOCCRYPT	_IOWR('c', 104, struct compat_crypt_op)
#define COMPAT_CIOCKEY		_IOWR('c', 105, struct compat_crypt_kop)
#define COMPAT_CIOCAUTHCRYPT	_IOWR('c', 109, struct compat_crypt_auth_op)
#define COMPAT_CIOCASYNCCRYPT	_IOW('c', 110, struct compat_crypt_op)
#define COMPAT_CIOCASYNCFETCH	_IOR('c', 111, struct compat_crypt_op)

static int compat_session(struct cd_file *file, struct compat_session_op __user *arg)
{
	struct compat_session_op op;
	struct cd_session_spec spec;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	spec = (struct cd_session_spec){
		.cipher = op.cipher, .key = compat_ptr(op.key), .keylen = op.keylen,
		.mac = op.mac, .mackey = compat_ptr(op.mackey), .mackeylen = op.mackeylen,
		.cipher_driver = "", .mac_driver = "",
	};
	err = cd_open_session(file, &spec, &op.ses);
	if (!err && put_user(op.ses, &arg->ses)) {
		cd_close_session(file, op.ses);
		err = -EFAULT;
	}
	return err;
}

static int compat_crypt(struct cd_file *file, struct compat_crypt_op __user *arg)
{
	struct compat_crypt_op op;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	return cd_crypt(file, &(struct crypt_op){
		.ses = op.ses, .op = op.op, .flags = op.flags, .len = op.len,
		.src = compat_ptr(op.src), .dst = compat_ptr(op.dst),
		.mac = compat_ptr(op.mac), .iv = compat_ptr(op.iv),
	});
}

static int compat_authcrypt(struct cd_file *file, struct compat_crypt_auth_op __user *arg)
{
	struct compat_crypt_auth_op op;
	struct crypt_auth_op wide;
	int err;

	if (copy_from_user(&op, arg, sizeof(op)))
		return -EFAULT;
	wide = (struct crypt_auth_op){
		.ses = op.ses, .op = op.op, .flags = op.flags, .len = op.len,
		.auth_len = op.auth_len, .auth_src = compat_ptr(op.auth_src),
		.src = compat_ptr(op.src), .dst = compat_ptr(op.dst), .tag = compat_ptr(op.tag),
		.tag_len = op.tag_len, .iv = compat_ptr(op.iv), .iv_len = op.iv_len,
	};
	err = cd_authcrypt(file, &wide);
	if (err)
		return err;
	op.len = wide.len;
	op.tag = ptr_to_compat(wide.tag);
	op.tag_len = wide.tag_len;
	return copy_to_user(arg, &op, sizeof(op)) ? -EFAULT : 0;
}

long cd_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct cd_file *file = filp->private_data;
	void __user *argp = compat_ptr(arg);

	switch (cmd) {
	case COMPAT_CIOCGSESSION:
		return compat_session(file, argp);
	case COMPAT_CIOCCRYPT:
		return compat_crypt(file, argp);
	case COMPAT_CIOCAUTHCRYPT:
		return compat_authcrypt(file, argp);
	case COMPAT_CIOCKEY:
	case COMPAT_CIOCASYNCCRYPT:
	case COMPAT_CIOCASYNCFETCH:
		return -EOPNOTSUPP;
	default:
		return cd_ioctl_common(filp, cmd, argp);
	}
}
#endif /* CONFIG_COMPAT */
