// SPDX-License-Identifier: GPL-2.0
/*
 * A program's memory for the crypto API. Pages are pinned where they are; what
 * can't be pinned, or is not to be, is copied. Another thread of the program
 * may change pinned pages meanwhile: nothing here or above decides by what it
 * has read in them, so that spoils the program's own result only.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "buffer.h"
#include "internal.h"

static int pin(struct cd_buffer *buffer)
{
	unsigned long start = (unsigned long)buffer->at & PAGE_MASK;
	int n;

	n = pin_user_pages_fast(start, buffer->npages, buffer->out ? FOLL_WRITE : 0,
				buffer->pages);
	if (n == buffer->npages) {
		buffer->pinned = true;
		return 0;
	}
	if (n > 0)
		unpin_user_pages(buffer->pages, n);
	memset(buffer->pages, 0, buffer->npages * sizeof(*buffer->pages));
	return -EFAULT;
}

static int copy_in(struct cd_buffer *buffer, size_t in)
{
	unsigned int i;

	for (i = 0; i < buffer->npages; i++) {
		size_t skip = (size_t)i * PAGE_SIZE;
		size_t len = in > skip ? min_t(size_t, in - skip, PAGE_SIZE) : 0;

		buffer->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!buffer->pages[i])
			return -ENOMEM;
		if (copy_from_user(page_address(buffer->pages[i]), buffer->at + skip, len))
			return -EFAULT;
	}
	return 0;
}

static void list_pages(struct cd_buffer *buffer, size_t len, size_t offset)
{
	unsigned int i;

	sg_init_table(buffer->sg, buffer->npages + 1);
	for (i = 0; i < buffer->npages; i++) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset);

		sg_set_page(&buffer->sg[i + 1], buffer->pages[i], part, offset);
		len -= part;
		offset = 0;
	}
}

/*
 * Maps memory from which an operation reads `in` bytes and to which it writes
 * `out`; one of them is not 0. Whether it worked or not, cd_buffer_unmap()
 * has to follow.
 */
int cd_buffer_map(struct cd_buffer *buffer, u8 __user *at, size_t in, size_t out, bool copy)
{
	size_t len = max(in, out);
	size_t offset = copy ? 0 : offset_in_page(at);
	int err;

	*buffer = (struct cd_buffer){ .at = at, .out = out };
	buffer->npages = DIV_ROUND_UP(offset + len, PAGE_SIZE);
	buffer->pages = kvcalloc(buffer->npages, sizeof(*buffer->pages), GFP_KERNEL_ACCOUNT);
	buffer->sg = kvmalloc_array(buffer->npages + 1, sizeof(*buffer->sg), GFP_KERNEL_ACCOUNT);
	if (!buffer->pages || !buffer->sg)
		return -ENOMEM;
	if (copy || pin(buffer)) {
		/* Copies begin at a page's beginning and so take no more pages. */
		offset = 0;
		buffer->npages = DIV_ROUND_UP(len, PAGE_SIZE);
		err = copy_in(buffer, in);
		if (err)
			return err;
	}
	list_pages(buffer, len, offset);
	return 0;
}

/* Lets the program have what was written. */
int cd_buffer_commit(struct cd_buffer *buffer)
{
	size_t done, len;

	if (buffer->pinned)
		return 0;
	for (done = 0; done < buffer->out; done += len) {
		len = min_t(size_t, buffer->out - done, PAGE_SIZE);
		if (copy_to_user(buffer->at + done, page_address(buffer->pages[done / PAGE_SIZE]),
				 len))
			return -EFAULT;
	}
	return 0;
}

/* What was written is for nobody. A copy that is not committed is wiped anyway. */
void cd_buffer_zero(struct cd_buffer *buffer)
{
	if (buffer->pinned && buffer->out)
		sg_zero_buffer(cd_buffer_sg(buffer), buffer->npages, buffer->out, 0);
}

void cd_buffer_unmap(struct cd_buffer *buffer)
{
	unsigned int i;

	if (buffer->pinned) {
		unpin_user_pages_dirty_lock(buffer->pages, buffer->npages, buffer->out > 0);
	} else if (buffer->pages) {
		for (i = 0; i < buffer->npages && buffer->pages[i]; i++) {
			clear_page(page_address(buffer->pages[i]));
			__free_page(buffer->pages[i]);
		}
	}
	kvfree(buffer->pages);
	kvfree(buffer->sg);
}
