/* SPDX-License-Identifier: GPL-2.0 */
/* A program's memory for the crypto API: its own pages, or copies. */
#ifndef CRYPTODEV_BUFFER_H
#define CRYPTODEV_BUFFER_H

#include <linux/scatterlist.h>
#include <linux/types.h>

struct cd_buffer {
	u8 __user *at;
	size_t out;		/* bytes that the operation writes */
	unsigned int npages;
	bool pinned;
	struct page **pages;
	struct scatterlist *sg;	/* npages + 1: the first is left for associated data */
};

int cd_buffer_map(struct cd_buffer *buffer, u8 __user *at, size_t in, size_t out, bool copy);
int cd_buffer_commit(struct cd_buffer *buffer);
void cd_buffer_zero(struct cd_buffer *buffer);
void cd_buffer_unmap(struct cd_buffer *buffer);

static inline struct scatterlist *cd_buffer_sg(struct cd_buffer *buffer)
{
	return &buffer->sg[1];
}

/* The same behind something else. */
static inline struct scatterlist *cd_buffer_sg_behind(struct cd_buffer *buffer, void *head,
						      unsigned int len)
{
	if (!len)
		return cd_buffer_sg(buffer);
	sg_set_buf(&buffer->sg[0], head, len);
	return buffer->sg;
}

#endif /* CRYPTODEV_BUFFER_H */
