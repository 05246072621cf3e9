// SPDX-License-Identifier: MIT
#include "suites.h"

#define AEAD_XOR .nonce = SO_CRYPT_NONCE_XOR_SEQUENCE, .fixed_iv = 12
#define COUNTER .nonce = SO_CRYPT_NONCE_EXPLICIT_COUNTER, .fixed_iv = 4, .explicit_iv = 8
#define RANDOM(n) .nonce = SO_CRYPT_NONCE_EXPLICIT_RANDOM, .explicit_iv = n, .padding = SO_CRYPT_PADDING_TLS

static const struct so_crypt_layout custom_xor = { .header = { 'f', 'r' }, .header_len = 6, .length_offset = 2, .length_size = 4,
	.assoc_start = 2, .assoc_end = 6, .assoc_sequence = 4, AEAD_XOR };
static const struct so_crypt_layout custom_counter = { .header = { 0, 0, 'x' }, .header_len = 3, .length_size = 2, .length_bias = 3,
	.assoc_end = 3, .assoc_sequence = 8, COUNTER };
static const struct so_crypt_layout custom_bare = { .header_len = 2, .length_size = 2, COUNTER };
static const struct so_crypt_layout custom_cbc_mte = { .header = { 7, 7, 7, 7, 0, 0, 0, 9 }, .header_len = 8, .length_offset = 4,
	.length_size = 3, .length_bias = 5, .assoc_start = 4, .assoc_end = 8, .assoc_sequence = 8, RANDOM(16),
	.order = SO_CRYPT_ORDER_MAC_THEN_ENCRYPT };
static const struct so_crypt_layout custom_cbc_etm = { .header_len = 4, .length_size = 4, .assoc_end = 4, RANDOM(8),
	.order = SO_CRYPT_ORDER_ENCRYPT_THEN_MAC };
static const struct so_crypt_layout custom_ctr_mte = { .header_len = 4, .length_size = 4, .assoc_end = 4, .assoc_sequence = 8, COUNTER,
	.order = SO_CRYPT_ORDER_MAC_THEN_ENCRYPT };
static const struct so_crypt_layout custom_ctr_etm = { .header_len = 32, .length_offset = 30, .length_size = 2, .assoc_end = 32,
	.assoc_sequence = 4, AEAD_XOR, .order = SO_CRYPT_ORDER_ENCRYPT_THEN_MAC };

#define GCM "gcm(aes)"
#define CCM "ccm(aes)"
#define CHACHA "rfc7539(chacha20,poly1305)"
#define CBC "cbc(aes)"
#define DES3 "cbc(des3_ede)"
#define CTR "ctr(aes)"
#define SSHCHACHA "chacha20-poly1305@openssh.com"
#define ETM SO_CRYPT_ETM

const struct suite suites[] = {
	{ "TLS 1.3 AES-128-GCM", SO_CRYPT_TLS_1_3, 0, GCM, "", 16, 0, 12, 0, NULL },
	{ "TLS 1.3 AES-256-GCM", SO_CRYPT_TLS_1_3, 0, GCM, "", 32, 0, 12, 0, NULL },
	{ "TLS 1.3 ChaCha20", SO_CRYPT_TLS_1_3, 0, CHACHA, "", 32, 0, 12, 0, NULL },
	{ "TLS 1.3 AES-128-CCM", SO_CRYPT_TLS_1_3, 0, CCM, "", 16, 0, 12, 0, NULL },
	{ "TLS 1.3 AES-128-CCM-8", SO_CRYPT_TLS_1_3, 0, CCM, "", 16, 0, 12, 8, NULL },
	{ "TLS 1.2 AES-256-CCM", SO_CRYPT_TLS_1_2, 0, CCM, "", 32, 0, 4, 0, NULL },
	{ "TLS 1.2 AES-192-CCM-8", SO_CRYPT_TLS_1_2, 0, CCM, "", 24, 0, 4, 8, NULL },
	{ "TLS 1.2 AES-128-GCM", SO_CRYPT_TLS_1_2, 0, GCM, "", 16, 0, 4, 0, NULL },
	{ "TLS 1.2 AES-192-GCM", SO_CRYPT_TLS_1_2, 0, GCM, "", 24, 0, 4, 0, NULL },
	{ "TLS 1.2 AES-256-GCM", SO_CRYPT_TLS_1_2, 0, GCM, "", 32, 0, 4, 0, NULL },
	{ "TLS 1.2 ChaCha20", SO_CRYPT_TLS_1_2, 0, CHACHA, "", 32, 0, 12, 0, NULL },
	{ "TLS 1.2 AES-128-CBC SHA1", SO_CRYPT_TLS_1_2, 0, CBC, "hmac(sha1)", 16, 20, 0, 0, NULL },
	{ "TLS 1.2 AES-256-CBC SHA256", SO_CRYPT_TLS_1_2, 0, CBC, "hmac(sha256)", 32, 32, 0, 0, NULL },
	{ "TLS 1.2 AES-256-CBC SHA384", SO_CRYPT_TLS_1_2, 0, CBC, "hmac(sha384)", 32, 48, 0, 0, NULL },
	{ "TLS 1.2 AES-128-CBC SHA256 EtM", SO_CRYPT_TLS_1_2, ETM, CBC, "hmac(sha256)", 16, 32, 0, 0, NULL },
	{ "TLS 1.2 AES-256-CBC SHA384 EtM", SO_CRYPT_TLS_1_2, ETM, CBC, "hmac(sha384)", 32, 48, 0, 0, NULL },
	{ "TLS 1.2 3DES SHA1", SO_CRYPT_TLS_1_2, 0, DES3, "hmac(sha1)", 24, 20, 0, 0, NULL },
	{ "TLS 1.1 AES-128-CBC SHA1", SO_CRYPT_TLS_1_1, 0, CBC, "hmac(sha1)", 16, 20, 0, 0, NULL },
	{ "TLS 1.0 AES-128-CBC SHA1", SO_CRYPT_TLS_1_0, 0, CBC, "hmac(sha1)", 16, 20, 16, 0, NULL },
	{ "TLS 1.0 3DES SHA1 EtM", SO_CRYPT_TLS_1_0, ETM, DES3, "hmac(sha1)", 24, 20, 8, 0, NULL },
	{ "SSH AES-128-GCM", SO_CRYPT_SSH, 0, GCM, "", 16, 0, 12, 0, NULL },
	{ "SSH AES-256-GCM", SO_CRYPT_SSH, 0, GCM, "", 32, 0, 12, 0, NULL },
	{ "SSH ChaCha20", SO_CRYPT_SSH, 0, SSHCHACHA, "", 64, 0, 0, 0, NULL },
	{ "SSH AES-128-CTR SHA256", SO_CRYPT_SSH, 0, CTR, "hmac(sha256)", 16, 32, 16, 0, NULL },
	{ "SSH AES-256-CTR SHA512 EtM", SO_CRYPT_SSH, ETM, CTR, "hmac(sha512)", 32, 64, 16, 0, NULL },
	{ "SSH AES-192-CTR SHA1 EtM", SO_CRYPT_SSH, ETM, CTR, "hmac(sha1)", 24, 20, 16, 0, NULL },
	{ "SSH AES-128-CBC SHA256", SO_CRYPT_SSH, 0, CBC, "hmac(sha256)", 16, 32, 16, 0, NULL },
	{ "SSH AES-256-CBC SHA1-96", SO_CRYPT_SSH, 0, CBC, "hmac(sha1)", 32, 20, 16, 12, NULL },
	{ "SSH AES-128-CBC SHA1 EtM", SO_CRYPT_SSH, ETM, CBC, "hmac(sha1)", 16, 20, 16, 0, NULL },
	{ "SSH 3DES SHA1-96 EtM", SO_CRYPT_SSH, ETM, DES3, "hmac(sha1)", 24, 20, 8, 12, NULL },
	{ "custom GCM", SO_CRYPT_CUSTOM, 0, GCM, "", 16, 0, 12, 0, &custom_xor },
	{ "custom GCM, tag of 12", SO_CRYPT_CUSTOM, 0, GCM, "", 32, 0, 4, 12, &custom_counter },
	{ "custom CCM", SO_CRYPT_CUSTOM, 0, CCM, "", 16, 0, 12, 0, &custom_xor },
	{ "custom CCM, nothing associated", SO_CRYPT_CUSTOM, 0, CCM, "", 32, 0, 4, 8, &custom_bare },
	{ "custom ChaCha20", SO_CRYPT_CUSTOM, 0, CHACHA, "", 32, 0, 4, 0, &custom_counter },
	{ "custom CBC MtE", SO_CRYPT_CUSTOM, 0, CBC, "hmac(sha512)", 16, 64, 0, 0, &custom_cbc_mte },
	{ "custom CBC MtE, MAC of 10", SO_CRYPT_CUSTOM, 0, CBC, "hmac(sha256)", 16, 32, 0, 10, &custom_cbc_mte },
	{ "custom 3DES EtM, MAC of 12", SO_CRYPT_CUSTOM, 0, DES3, "hmac(sha1)", 24, 20, 0, 12, &custom_cbc_etm },
	{ "custom CTR MtE", SO_CRYPT_CUSTOM, 0, CTR, "hmac(sha256)", 16, 32, 4, 0, &custom_ctr_mte },
	{ "custom CTR MtE, MAC of 16", SO_CRYPT_CUSTOM, 0, CTR, "hmac(sha384)", 32, 48, 4, 16, &custom_ctr_mte },
	{ "custom CTR EtM", SO_CRYPT_CUSTOM, 0, CTR, "hmac(sha1)", 24, 20, 12, 0, &custom_ctr_etm },
};
const u_int nsuites = nitems(suites);

void suite_info(const struct suite *s, struct so_crypt_info *info) {
	memset(info, 0, sizeof(*info));
	info->operation = SO_CRYPT_ARM;
	info->protocol = s->protocol;
	info->flags = s->flags;
	info->tag_len = s->tag_len;
	info->key_len = s->key_len;
	info->mac_key_len = s->mac_key_len;
	info->iv_len = s->iv_len;
	strlcpy(info->cipher, s->cipher, sizeof(info->cipher));
	strlcpy(info->mac, s->mac, sizeof(info->mac));
	rnd_bytes(info->key, s->key_len);
	rnd_bytes(info->mac_key, s->mac_key_len);
	rnd_bytes(info->iv, s->iv_len);
	if (s->layout) info->layout = *s->layout;
	/* The ends of the numbers, too. */
	info->sequence = rnd(3) ? rnd(1000) : s->protocol == SO_CRYPT_SSH ? UINT32_MAX - rnd(3) : (1ULL << 40) - rnd(3);
}
