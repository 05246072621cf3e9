/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * SO_CRYPT: a stream socket that encrypts and authenticates whole records.
 *
 * Setting up
 * ----------
 *
 * On a stock kernel with the module so_crypt, a connected TCP socket (IPv4 or
 * IPv6, state ESTABLISHED) takes the upper layer protocol first; bytes still
 * pass unchanged:
 *
 *	setsockopt(fd, SOL_TCP, TCP_ULP, "so_crypt", 8);
 *	setsockopt(fd, SOL_SO_CRYPT, SO_CRYPT, &info, sizeof(info));
 *
 * A kernel with the hooks takes the same at SOL_SOCKET and needs no TCP_ULP.
 * No capability is needed. One call arms one direction with its keys; from that
 * byte on the stream consists of records. Bytes written before stay plain;
 * bytes received and not yet read are taken for records.
 *
 * struct so_crypt_info is versioned by its size: a longer one is accepted when
 * all bytes behind those the kernel knows are zero (else E2BIG), a shorter one
 * is EINVAL. Fields that a protocol does not use, and reserved ones, must be 0.
 * Numbers are in host order, lengths in bytes. Keys are wiped from kernel
 * memory as soon as the cipher has them and can never be read back.
 *
 *	operation	SO_CRYPT_ARM, once per direction, or SO_CRYPT_REKEY: new
 *			keys for an armed direction, of the same protocol (TLS
 *			1.3 KeyUpdate, SSH_MSG_NEWKEYS). All that was written
 *			before goes out under the old key. SSH may change the
 *			cipher with it; a custom layout stays as it is. The key
 *			it already has is EEXIST.
 *	direction	SO_CRYPT_WRITE or SO_CRYPT_READ
 *	protocol	SO_CRYPT_TLS_1_0 ... SO_CRYPT_SSH, SO_CRYPT_CUSTOM
 *	flags		SO_CRYPT_ETM: encrypt-then-MAC (RFC 7366 for TLS, the
 *			-etm@openssh.com MACs for SSH)
 *	max_payload	largest payload of a frame that is sent; 0: 16384 (TLS,
 *			custom), 32768 (SSH). At most 16384 with TLS, 65536 else.
 *			Frames that arrive may hold up to the protocol's limit:
 *			16384 with TLS, 262144 bytes of packet with SSH (as
 *			OpenSSH), max_payload with a custom layout.
 *	depth		frames that may be with an asynchronous cipher at a time,
 *			1 ... 64; 0: the module's parameter "depth" (64). 1 is
 *			one frame at a time. Written frames whose IV is the end
 *			of the one before (TLS 1.0, SSH with CBC) always go one
 *			at a time, and so does reading of TLS 1.3, SSH and custom
 *			layouts.
 *	tag_len		of AEAD ciphers and truncated MACs; 0: full length
 *	sequence	of the next frame
 *	limit		frames under this key, then EKEYEXPIRED; 0: the cipher's
 *			own (23726566 for AES-GCM and AES-CCM, RFC 8446 5.5;
 *			2^21 for 3DES; 2^32 for SSH, RFC 4344 3.1; else 2^48)
 *	cipher		the kernel's name of the transform, or the name of a
 *			driver that is loaded (/proc/crypto), which selects an
 *			accelerator:
 *			  gcm(aes) ccm(aes) rfc7539(chacha20,poly1305)
 *			  cbc(aes) cbc(des3_ede) ctr(aes)
 *			  chacha20-poly1305@openssh.com
 *			With CAP_NET_ADMIN any name whose algorithm is one of
 *			these.
 *	mac		"" with AEAD; hmac(sha1) hmac(sha256) hmac(sha384)
 *			hmac(sha512)
 *	key, mac_key	of the direction. chacha20-poly1305@openssh.com: 64
 *			bytes, K_2 (payload) first, then K_1 (lengths)
 *	iv		TLS 1.3, TLS 1.2 with ChaCha20: 12, XORed with the
 *			  sequence number
 *			TLS 1.2 GCM and CCM: 4 (the salt; the explicit nonce is
 *			  the sequence number) or 12 (the explicit nonce of the
 *			  next frame follows the salt; writing only, the reading
 *			  side takes it from the frame)
 *			TLS CBC: one block in TLS 1.0, none in 1.1 and 1.2
 *			SSH: 12 with GCM (RFC 5647), one block with CBC and CTR,
 *			  none with ChaCha20
 *			custom: fixed_iv bytes
 *	layout		of SO_CRYPT_CUSTOM only, see there
 *
 * getsockopt(fd, SOL_SO_CRYPT, SO_CRYPT) gives a struct so_crypt_status of both
 * directions, cut to the caller's length; never keys.
 *
 * Writing
 * -------
 *
 * TLS and custom: a stream. write() makes full frames of what it is given and
 * a shorter one at the end; MSG_MORE keeps that one open for the next write
 * (close and shutdown send it). TLS 1.0 sends the first byte of each write on
 * its own (against BEAST). A record type other than application data is given
 * by a control message as with kernel TLS: level SO_CRYPT_SOL_CMSG, type
 * SO_CRYPT_SET_RECORD_TYPE, one byte. Short writes are counted in plain bytes
 * and end at a frame's end. sendfile(2) and splice(2) work.
 *
 * SSH: a sequence of messages. Each sendmsg(), and each message of sendmmsg(), is
 * the payload of one packet, taken whole or not at all; above max_payload it is
 * EMSGSIZE. With MSG_MORE parts are gathered to one payload.
 *
 * Frames go out whole and in order. A write waits for the accelerator even when
 * the socket is non-blocking, but never for the network: that is EAGAIN and
 * POLLOUT, by SO_SNDBUF, where frames in the accelerator count.
 *
 * Reading
 * -------
 *
 * Only bytes of frames that were verified are given out. One read never mixes
 * record types; the type comes as a control message (SO_CRYPT_SOL_CMSG,
 * SO_CRYPT_GET_RECORD_TYPE). A record other than application data ends the
 * read, and without room for the control message it is EIO and stays. With SSH
 * one read gives (the rest of) one payload. MSG_EOR marks the end of a frame.
 * POLLIN means that a whole frame, an error or the end is there.
 *
 * Behind a TLS 1.3 KeyUpdate or an SSH_MSG_NEWKEYS that was read, reads give
 * EKEYEXPIRED until SO_CRYPT_REKEY.
 *
 * Errors of reading stay, nothing is delivered behind them, and writing is
 * still possible (for an alert):
 *
 *	EBADMSG		a frame that is not genuine or breaks the protocol
 *	EMSGSIZE	a frame longer than the protocol allows
 *	ECONNABORTED	the peer's FIN came in the middle of a frame
 *	EKEYEXPIRED	the limit is reached (SO_CRYPT_REKEY clears it)
 *	ENOMEM		the cipher had no memory for a frame
 *	0		FIN at a frame's end. Whether the peer said goodbye
 *			before (close_notify) is for the application to know.
 *
 * Errors of setsockopt:
 *
 *	EINVAL		a field is wrong, or the combination
 *	E2BIG		bytes behind the known fields are not zero, or a page and more
 *	ENOENT		no such cipher or MAC here
 *	EEXIST		the direction is armed already, or has this very key
 *	EBUSY		the socket is in a sockmap; SO_CRYPT_REKEY: bytes under the
 *			old key are still to be read
 *	ENOTCONN	no connection; SO_CRYPT_REKEY: the direction is not armed
 *	ENOPROTOOPT	not our socket: no TCP, or TCP_ULP was not given
 */
#ifndef _UAPI_LINUX_SO_CRYPT_H
#define _UAPI_LINUX_SO_CRYPT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#include <linux/types.h>
#endif

#define SO_CRYPT_ULP	"so_crypt"

#ifndef SOL_SO_CRYPT
#define SOL_SO_CRYPT	290
#endif
#ifndef SO_CRYPT
#define SO_CRYPT	0x1026
#endif

/* Control messages of sendmsg() and recvmsg(): the numbers of kernel TLS. */
#define SO_CRYPT_SOL_CMSG		282	/* SOL_TLS */
#define SO_CRYPT_SET_RECORD_TYPE	1	/* TLS_SET_RECORD_TYPE */
#define SO_CRYPT_GET_RECORD_TYPE	2	/* TLS_GET_RECORD_TYPE */

enum so_crypt_operation {
	SO_CRYPT_ARM		= 1,
	SO_CRYPT_REKEY		= 2,
};

enum so_crypt_direction {
	SO_CRYPT_WRITE		= 1,
	SO_CRYPT_READ		= 2,
};

enum so_crypt_protocol {
	SO_CRYPT_TLS_1_0	= 1,
	SO_CRYPT_TLS_1_1	= 2,
	SO_CRYPT_TLS_1_2	= 3,
	SO_CRYPT_TLS_1_3	= 4,
	SO_CRYPT_SSH		= 5,
	SO_CRYPT_CUSTOM		= 255,
};

enum so_crypt_flags {
	SO_CRYPT_ETM		= 1 << 0,
};

#define SO_CRYPT_NAME_LEN	64
#define SO_CRYPT_MAX_KEY	64
#define SO_CRYPT_MAX_IV		16
#define SO_CRYPT_MAX_HEADER	32
#define SO_CRYPT_MAX_DEPTH	64

/* Where a frame's IV or nonce comes from. */
enum so_crypt_nonce {
	/* iv (12 bytes) XOR sequence number: RFC 8446 5.3 */
	SO_CRYPT_NONCE_XOR_SEQUENCE	= 0,
	/* iv (4 bytes), then the frame's 8 bytes: RFC 5288 3, RFC 3686 4 */
	SO_CRYPT_NONCE_EXPLICIT_COUNTER	= 1,
	/* one random block in the frame: RFC 4346 6.2.3.2 */
	SO_CRYPT_NONCE_EXPLICIT_RANDOM	= 2,
};

enum so_crypt_order {
	SO_CRYPT_ORDER_AEAD		= 0,
	SO_CRYPT_ORDER_MAC_THEN_ENCRYPT	= 1,
	SO_CRYPT_ORDER_ENCRYPT_THEN_MAC	= 2,
};

enum so_crypt_padding {
	SO_CRYPT_PADDING_NONE		= 0,
	/* each byte is the number of the others: RFC 5246 6.2.3.2 */
	SO_CRYPT_PADDING_TLS		= 1,
};

/*
 * A frame given by offsets, all from its first byte:
 *
 *	header | explicit IV | payload | padding | tag		AEAD, EtM
 *	header | explicit IV | payload | MAC | padding		MtE
 *
 * Encryption starts behind the explicit IV. The MAC or AEAD tag covers the
 * sequence number's last assoc_sequence bytes, the header from assoc_start to
 * assoc_end, and then everything up to its own place (the explicit IV only with
 * encrypt-then-MAC). A received frame whose header differs from the template
 * in anything but the length field is EBADMSG.
 *
 * CTR counts the blocks of a frame in the last 4 bytes of its IV, from 1
 * (RFC 3686 4). CBC takes SO_CRYPT_NONCE_EXPLICIT_RANDOM and
 * SO_CRYPT_PADDING_TLS, the others take neither.
 */
struct so_crypt_layout {
	__u8	header[SO_CRYPT_MAX_HEADER];	/* template of the first bytes */
	__u8	header_len;	/* 2 ... 32 */
	__u8	length_offset;	/* of the big-endian length field */
	__u8	length_size;	/* 2, 3 or 4 */
	__u8	nonce;		/* enum so_crypt_nonce */
	__u32	length_bias;	/* bytes of the frame that it does not count */
	__u8	fixed_iv;	/* 12, 4 or 0 as the nonce says */
	__u8	explicit_iv;	/* 0, 8 or one block */
	__u8	order;		/* enum so_crypt_order */
	__u8	padding;	/* enum so_crypt_padding */
	__u8	assoc_sequence;	/* 0, 4 or 8 */
	__u8	assoc_start;
	__u8	assoc_end;	/* header_len unless AEAD */
	__u8	reserved[17];
};

struct so_crypt_info {
	__u8	operation;	/* enum so_crypt_operation */
	__u8	direction;	/* enum so_crypt_direction */
	__u8	protocol;	/* enum so_crypt_protocol */
	__u8	flags;		/* enum so_crypt_flags */
	__u32	max_payload;
	__u16	depth;
	__u8	tag_len;
	__u8	key_len;
	__u8	mac_key_len;
	__u8	iv_len;
	__u8	reserved1[2];
	__u64	sequence;
	__u64	limit;
	char	cipher[SO_CRYPT_NAME_LEN];	/* ends with 0 */
	char	mac[SO_CRYPT_NAME_LEN];
	__u8	key[SO_CRYPT_MAX_KEY];
	__u8	mac_key[SO_CRYPT_MAX_KEY];
	__u8	iv[SO_CRYPT_MAX_IV];
	struct so_crypt_layout layout;
	__u8	reserved2[16];
};

enum so_crypt_state {
	SO_CRYPT_STATE_ARMED	= 1 << 0,
	SO_CRYPT_STATE_ASYNC	= 1 << 1,	/* the cipher may be a device */
	SO_CRYPT_STATE_REKEY	= 1 << 2,	/* waits for SO_CRYPT_REKEY */
};

struct so_crypt_direction_status {
	__u8	state;		/* enum so_crypt_state */
	__u8	protocol;
	__u8	flags;
	__u8	tag_len;
	__u32	error;		/* the errno that stays, or 0 */
	__u32	max_payload;
	__u16	depth;
	__u16	in_flight;	/* frames with the cipher or before TCP */
	__u64	sequence;	/* of the next frame */
	__u64	frames;		/* under this key */
	__u64	limit;
	char	cipher[SO_CRYPT_NAME_LEN];	/* the transform's name */
	char	driver[SO_CRYPT_NAME_LEN];	/* who does it */
	char	mac[SO_CRYPT_NAME_LEN];
};

struct so_crypt_status {
	struct so_crypt_direction_status write;
	struct so_crypt_direction_status read;
};

#endif /* _UAPI_LINUX_SO_CRYPT_H */
