// SPDX-License-Identifier: GPL-2.0
/* How many sessions a user has, over all files: they are kernel memory, the device everyone's. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include "internal.h"

static unsigned int user_sessions = 16384;
module_param(user_sessions, uint, 0644);
MODULE_PARM_DESC(user_sessions, "the most sessions of one user (without CAP_SYS_RESOURCE)");

struct cd_user {
	struct list_head entry;
	kuid_t uid;
	unsigned int sessions;
};

static LIST_HEAD(users);
static DEFINE_MUTEX(users_lock);

/* The users that a user can make up in a namespace are himself. */
static kuid_t accountable(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static struct cd_user *find_or_add(kuid_t uid)
{
	struct cd_user *user;

	list_for_each_entry(user, &users, entry)
		if (uid_eq(user->uid, uid))
			return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	list_add(&user->entry, &users);
	return user;
}

static void drop_if_idle(struct cd_user *user)
{
	if (user->sessions)
		return;
	list_del(&user->entry);
	kfree(user);
}

/* Counts one session for the current user. */
struct cd_user *cd_charge(void)
{
	struct cd_user *user;

	mutex_lock(&users_lock);
	user = find_or_add(accountable());
	if (!user) {
		user = ERR_PTR(-ENOMEM);
	} else if (user->sessions >= READ_ONCE(user_sessions) && !capable(CAP_SYS_RESOURCE)) {
		drop_if_idle(user);
		user = ERR_PTR(-EDQUOT);
	} else {
		user->sessions++;
	}
	mutex_unlock(&users_lock);
	return user;
}

void cd_uncharge(struct cd_user *user)
{
	mutex_lock(&users_lock);
	user->sessions--;
	drop_if_idle(user);
	mutex_unlock(&users_lock);
}
