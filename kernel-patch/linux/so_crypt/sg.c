// SPDX-License-Identifier: GPL-2.0
/* Scatterlists over a frame, which is contiguous but may be of vmalloc(). */
#include <linux/mm.h>
#include "record.h"

/* Entries that `len` bytes at `data` take. */
unsigned int scr_sg_pages(const void *data, u32 len)
{
	if (!is_vmalloc_addr(data))
		return 1;
	return DIV_ROUND_UP(offset_in_page(data) + len, PAGE_SIZE);
}

void scr_sg_init(struct scatterlist *sg, void *assoc, u32 assoc_len,
		 void *data, u32 len)
{
	const unsigned int n = (assoc ? 1 : 0) + scr_sg_pages(data, len);

	sg_init_table(sg, n);
	if (assoc) {
		sg_set_buf(sg, assoc, assoc_len);
		sg++;
	}
	if (!is_vmalloc_addr(data)) {
		sg_set_buf(sg, data, len);
		return;
	}
	while (len) {
		const u32 chunk = min_t(u32, len,
					PAGE_SIZE - offset_in_page(data));

		sg_set_page(sg, vmalloc_to_page(data), chunk,
			    offset_in_page(data));
		data += chunk;
		len -= chunk;
		sg++;
	}
}
