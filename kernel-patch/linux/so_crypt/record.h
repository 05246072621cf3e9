/* SPDX-License-Identifier: GPL-2.0 */
/* One frame on its way out, and the two operations on frames. */
#ifndef _SO_CRYPT_RECORD_H
#define _SO_CRYPT_RECORD_H

#include <linux/crypto.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/workqueue.h>
#include "direction.h"

/* The associated data, and the pages of the longest frame. */
enum {
	SCR_MAX_SG = 2 + DIV_ROUND_UP(SCR_SSH_MAX_PACKET + 256, PAGE_SIZE) + 1,
};

struct scr_tx;

struct scr_record {
	struct list_head list;
	struct scr_tx *tx;
	struct work_struct work;	/* scr_seal_mac() on another CPU */
	struct list_head submit;	/* has its MAC, waits for the cipher */
	u8 *data;		/* the frame */
	u32 capacity;		/* of payload */
	u32 charged;		/* to the socket's memory */
	u32 payload;		/* bytes of it */
	u32 len;		/* of the frame, once sealed */
	u32 sent;		/* bytes that TCP has */
	u32 crypt_end;
	u8 type;
	bool done;		/* by the cipher; read with acquire */
	bool finished;		/* scr_seal_finish() was called */
	int err;
	u64 sequence;
	u8 iv[SO_CRYPT_MAX_IV];
	u8 assoc[SCR_MAX_ASSOC];
	struct scatterlist *sg;
	void *request;		/* skcipher_request or aead_request */
};

struct scr_record *scr_record_alloc(struct scr_direction *d, u32 capacity,
				    gfp_t gfp);
void scr_record_free(struct scr_record *r);

/* seal.c, in this order */
void scr_seal_prepare(struct scr_direction *d, struct scr_record *r);
int scr_seal_mac(struct scr_direction *d, struct scr_record *r);
int scr_seal_encrypt(struct scr_direction *d, struct scr_record *r);
int scr_seal_finish(struct scr_direction *d, struct scr_record *r);

/* What is in an opened frame. */
struct scr_opened {
	u32 offset;
	u32 len;
	u8 type;
};

/* A whole frame that is being opened, in place. */
struct scr_opening {
	struct list_head list;
	u8 *frame;
	u32 room;		/* bytes at frame */
	u32 len;
	u64 sequence;
	int err;		/* -EINPROGRESS, -EBUSY: ask `wait` */
	struct crypto_wait wait;
	u8 iv[SO_CRYPT_MAX_IV];
	u8 assoc[SCR_MAX_ASSOC];
	struct scatterlist *sg;
	void *request;		/* skcipher_request or aead_request */
};

struct scr_opening *scr_opening_alloc(struct scr_direction *d, u8 *frame,
				      u32 len, gfp_t gfp);

/* open.c */
int scr_frame_length(const struct scr_direction *d, const u8 *head);
void scr_open_start(struct scr_direction *d, struct scr_opening *o);
int scr_open_finish(struct scr_direction *d, struct scr_opening *o,
		    struct scr_opened *out);

/* open_cbc.c */
int scr_open_mte(struct scr_direction *d, u64 sequence, const u8 *header,
		 u8 *text, u32 len, struct scr_opened *out);

/* sg.c */
unsigned int scr_sg_pages(const void *data, u32 len);
void scr_sg_init(struct scatterlist *sg, void *assoc, u32 assoc_len,
		 void *data, u32 len);
#endif
