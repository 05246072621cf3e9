// SPDX-License-Identifier: GPL-2.0
/* The sessions of an open file by number. */
#include <linux/err.h>
#include <linux/module.h>
#include "internal.h"

static unsigned int file_sessions = 4096;
module_param(file_sessions, uint, 0644);
MODULE_PARM_DESC(file_sessions, "the most sessions of one open file");

void cd_table_init(struct cd_file *file)
{
	xa_init_flags(&file->sessions, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	atomic_set(&file->count, 0);
}

/* When nobody has the file any more: no operation runs. */
void cd_table_destroy(struct cd_file *file)
{
	struct cd_session *session;
	unsigned long id;

	xa_for_each(&file->sessions, id, session)
		cd_session_put(session);
	xa_destroy(&file->sessions);
}

int cd_open_session(struct cd_file *file, const struct cd_session_spec *spec, u32 *id)
{
	struct cd_session *session;
	int err = -EMFILE;

	if (atomic_inc_return(&file->count) > READ_ONCE(file_sessions))
		goto uncount;
	session = cd_session_new(spec);
	if (IS_ERR(session)) {
		err = PTR_ERR(session);
		goto uncount;
	}
	/* Not the lowest free number: one that was closed by mistake is not soon another's. */
	err = xa_alloc_cyclic(&file->sessions, id, session, XA_LIMIT(1, INT_MAX), &file->next,
			      GFP_KERNEL);
	if (err < 0)
		goto put;
	return 0;

put:
	cd_session_put(session);
uncount:
	atomic_dec(&file->count);
	return err;
}

int cd_close_session(struct cd_file *file, u32 id)
{
	struct cd_session *session = xa_erase(&file->sessions, id);

	if (!session)
		return -ENOENT;
	atomic_dec(&file->count);
	cd_session_put(session);
	return 0;
}

/* The session and a reference. */
struct cd_session *cd_session_get(struct cd_file *file, u32 id)
{
	struct cd_session *session;

	xa_lock(&file->sessions);
	session = xa_load(&file->sessions, id);
	if (session)
		kref_get(&session->ref);
	xa_unlock(&file->sessions);
	return session ? session : ERR_PTR(-EINVAL);
}

/* The session, a reference, and its lock. */
struct cd_session *cd_session_lock(struct cd_file *file, u32 id)
{
	struct cd_session *session = cd_session_get(file, id);

	if (!IS_ERR(session) && mutex_lock_killable(&session->lock)) {
		cd_session_put(session);
		session = ERR_PTR(-EINTR);
	}
	return session;
}

void cd_session_unlock(struct cd_session *session)
{
	mutex_unlock(&session->lock);
	cd_session_put(session);
}
