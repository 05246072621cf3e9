// SPDX-License-Identifier: MIT
// so_crypt_test connect|accept PORT PROTOCOL SUITE ETM UPDATES BYTES
// A TLS connection on a real socket: libssl shakes hands, and then its keys go to the small kernel, which does the records from there.
// The peer echoes. Also sent and received: the server's tickets, KeyUpdates (UPDATES of ours, in TLS 1.3), close_notify.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"

static uint8_t client_secret[64], server_secret[64];
// The last record of the handshake, each way: Finished.
static uint8_t last_out[1 << 9], last_in[1 << 9];
static int last_out_len, last_in_len, secret_len;

static void die(const char *format, ...) {
	va_list ap;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void keylog(const SSL *ssl, const char *line) {
	(void)ssl;
	uint8_t *to = strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) == 0 ? client_secret :
	    strncmp(line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0 ? server_secret : NULL;
	if (to == NULL) return;
	const char *hex = strrchr(line, ' ') + 1;
	secret_len = (int)strlen(hex) / 2;
	for (int i = 0; i < secret_len; i++) sscanf(hex + 2 * i, "%2hhx", &to[i]);
}

static void send_all(int fd, const uint8_t *p, size_t n) {
	while (n > 0) {
		ssize_t r = write(fd, p, n);
		if (r <= 0) die("write: %s", strerror(errno));
		p += r, n -= (size_t)r;
	}
}

static void read_all(int fd, uint8_t *p, size_t n) {
	while (n > 0) {
		ssize_t r = read(fd, p, n);
		if (r <= 0) die("read: %s", r ? strerror(errno) : "the peer is gone");
		p += r, n -= (size_t)r;
	}
}

// Record by record, so that nothing behind the handshake is read.
static void shake_hands(SSL *ssl, int fd) {
	static uint8_t buf[1 << 16];
	for (;;) {
		int r = SSL_do_handshake(ssl), n;
		while ((n = BIO_read(SSL_get_wbio(ssl), buf, sizeof(buf))) > 0) {
			for (int at = 0; at + 5 <= n; at += last_out_len) {
				last_out_len = 5 + buf[at + 3] * 256 + buf[at + 4];
				if (last_out_len <= (int)sizeof(last_out)) memcpy(last_out, buf + at, (size_t)last_out_len);
			}
			send_all(fd, buf, (size_t)n);
		}
		if (r == 1) return;
		if (SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ) die("handshake");
		read_all(fd, buf, 5);
		int len = buf[3] * 256 + buf[4];
		read_all(fd, buf + 5, (size_t)len);
		BIO_write(SSL_get_rbio(ssl), buf, 5 + len);
		last_in_len = 5 + len;
		if (last_in_len <= (int)sizeof(last_in)) memcpy(last_in, buf, (size_t)last_in_len);
	}
}

static void derive(const char *kdf, const char *digest, const uint8_t *secret, size_t n, const char *label, const uint8_t *seed, size_t seed_len,
    uint8_t *out, size_t len) {
	EVP_KDF *k = EVP_KDF_fetch(NULL, kdf, NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(k);
	uint8_t info[128];
	OSSL_PARAM p[5], *q = p;
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	*q++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
	if (strcmp(kdf, "HKDF") == 0) {
		// HkdfLabel: RFC 8446 7.1
		size_t l = strlen(label);
		info[0] = 0, info[1] = (uint8_t)len, info[2] = (uint8_t)(6 + l);
		memcpy(info + 3, "tls13 ", 6);
		memcpy(info + 9, label, l);
		info[9 + l] = 0;
		*q++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
		*q++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, n);
		*q++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 10 + l);
	} else {
		size_t l = strlen(label);
		memcpy(info, label, l);
		memcpy(info + l, seed, seed_len);
		*q++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secret, n);
		*q++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, info, l + seed_len);
	}
	*q = OSSL_PARAM_construct_end();
	if (EVP_KDF_derive(ctx, out, len, p) != 1) die("%s", kdf);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(k);
}

static const char *digest_name;

static void keys13(struct link_keys *k, const uint8_t *secret) {
	derive("HKDF", digest_name, secret, (size_t)secret_len, "key", NULL, 0, k->key, (size_t)k->key_len);
	derive("HKDF", digest_name, secret, (size_t)secret_len, "iv", NULL, 0, k->iv, 12);
	k->iv_len = 12;
	k->sequence = 0;
}

static void next13(uint8_t *secret) {
	uint8_t next[64];
	derive("HKDF", digest_name, secret, (size_t)secret_len, "traffic upd", NULL, 0, next, (size_t)secret_len);
	memcpy(secret, next, (size_t)secret_len);
}

static void keys12(SSL *ssl, struct link_keys *client, struct link_keys *server, int protocol, int mac_len, int fixed_iv) {
	uint8_t master[48], seed[64], block[256], *p = block;
	SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
	SSL_get_server_random(ssl, seed, 32);
	SSL_get_client_random(ssl, seed + 32, 32);
	derive("TLS1-PRF", protocol < 3 ? "MD5-SHA1" : digest_name, master, 48, "key expansion", seed, 64, block, sizeof(block));
	struct link_keys *both[2] = { client, server };
	for (int i = 0; i < 2; i++) memcpy(both[i]->mac_key, p, (size_t)mac_len), both[i]->mac_key_len = mac_len, p += mac_len;
	for (int i = 0; i < 2; i++) memcpy(both[i]->key, p, (size_t)both[i]->key_len), p += both[i]->key_len;
	for (int i = 0; i < 2; i++) memcpy(both[i]->iv, p, (size_t)fixed_iv), both[i]->iv_len = fixed_iv, p += fixed_iv;
	client->sequence = server->sequence = 1;
}

static int listen_or_connect(int server, int port) {
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!server) {
		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) die("connect: %s", strerror(errno));
		return fd;
	}
	socklen_t n = sizeof(sa);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(fd, 1) != 0) die("listen: %s", strerror(errno));
	getsockname(fd, (struct sockaddr *)&sa, &n);
	printf("port %d\n", ntohs(sa.sin_port));
	fflush(stdout);
	int peer = accept(fd, NULL, NULL);
	close(fd);
	return peer;
}

static struct link_keys client, server;
static int updates_seen, tickets_seen, is_server, protocol;

static void put(int fd, const uint8_t *p, size_t n, int type) {
	const uint8_t *wire;
	size_t len;
	if (link_write(p, n, type, &wire, &len) != (long)n) die("the kernel's write failed");
	send_all(fd, wire, len);
}

static void update_read(void) {
	next13(is_server ? client_secret : server_secret);
	keys13(is_server ? &client : &server, is_server ? client_secret : server_secret);
	int error = link_arm(0, 1, is_server ? &client : &server);
	if (error) die("rekey: %d", error);
	updates_seen++;
}

static void update_write(int fd) {
	static const uint8_t message[] = { 24, 0, 0, 1, 1 }; // and the peer is to do the same
	put(fd, message, sizeof(message), 22);
	next13(is_server ? server_secret : client_secret);
	keys13(is_server ? &server : &client, is_server ? server_secret : client_secret);
	int error = link_arm(1, 1, is_server ? &server : &client);
	if (error) die("rekey: %d", error);
}

// Nobody waits for ever: says how much is missing.
static size_t waiting_for;
static long written;
static void too_long(int signal) {
	(void)signal;
	die("%zu bytes of what was sent did not come back, of %ld", waiting_for, written);
}

// Reads until n bytes of data are there.
static void expect(int fd, const uint8_t *data, size_t n) {
	static uint8_t in[1 << 15], text[1 << 15];
	size_t got = 0;
	while (got < n) {
		int type = 0;
		long r = link_read(text, 1 + (size_t)rand() % sizeof(text), &type);
		if (r == -35) {
			waiting_for = n - got;
			ssize_t c = read(fd, in, 1 + (size_t)rand() % sizeof(in));
			if (c < 0) die("read: %s", strerror(errno));
			link_received(in, (size_t)c, c == 0);
		} else if (r == -81) {
			update_read();
		} else if (r <= 0) {
			die("the kernel's read: %ld", r);
		} else if (type == 22) {
			tickets_seen += text[0] == 4;
		} else if (type != 23 || got + (size_t)r > n || memcmp(text, data + got, (size_t)r) != 0) {
			die("not what was sent: type %d, %ld bytes at %zu", type, r, got);
		} else {
			got += (size_t)r;
		}
	}
}

int peer_main(int argc, char **argv) {
	if (argc != 8) die("usage: so_crypt_test connect|accept PORT PROTOCOL SUITE ETM UPDATES BYTES");
	is_server = strcmp(argv[1], "accept") == 0;
	protocol = atoi(argv[3]);
	const char *suite = argv[4];
	int etm = atoi(argv[5]), updates = atoi(argv[6]);
	long bytes = atol(argv[7]);
	static const int versions[] = { 0, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };

	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	SSL_CTX_set_min_proto_version(ctx, versions[protocol]);
	SSL_CTX_set_max_proto_version(ctx, versions[protocol]);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_keylog_callback(ctx, keylog);
	if (!etm) SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC);
	if (protocol == 4 ? !SSL_CTX_set_ciphersuites(ctx, suite) : !SSL_CTX_set_cipher_list(ctx, suite)) die("%s", suite);
	if (is_server && (SSL_CTX_use_certificate_file(ctx, getenv("CERT"), SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, getenv("KEY"), SSL_FILETYPE_PEM) != 1))
		die("CERT and KEY");

	int fd = listen_or_connect(is_server, atoi(argv[2]));
	SSL *ssl = SSL_new(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (is_server) SSL_set_accept_state(ssl);
	else SSL_set_connect_state(ssl);
	shake_hands(ssl, fd);

	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
	int nid = SSL_CIPHER_get_cipher_nid(c), mac_nid = SSL_CIPHER_get_digest_nid(c);
	const EVP_CIPHER *evp = EVP_get_cipherbynid(nid);
	int cbc = EVP_CIPHER_get_mode(evp) == EVP_CIPH_CBC_MODE, poly = nid == NID_chacha20_poly1305;
	digest_name = EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(c));
	// What the suites of before TLS 1.2 are said to have is not what TLS 1.2 takes (RFC 5246 5).
	if (strcmp(digest_name, "MD5-SHA1") == 0) digest_name = "SHA256";
	client.protocol = protocol;
	client.etm = cbc && etm;
	int ccm = EVP_CIPHER_get_mode(evp) == EVP_CIPH_CCM_MODE, ccm8 = ccm && strstr(SSL_CIPHER_get_name(c), "CCM8") != NULL;
	ccm8 |= ccm && strstr(SSL_CIPHER_get_name(c), "CCM_8") != NULL;
	client.tag_len = ccm8 ? 8 : 0;
	client.cipher = ccm ? "ccm(aes)" : poly ? "rfc7539(chacha20,poly1305)" : !cbc ? "gcm(aes)" : nid == NID_des_ede3_cbc ? "cbc(des3_ede)" : "cbc(aes)";
	client.mac = !cbc ? "" : mac_nid == NID_sha1 ? "hmac(sha1)" : mac_nid == NID_sha256 ? "hmac(sha256)" : "hmac(sha384)";
	client.key_len = EVP_CIPHER_get_key_length(evp);
	server = client;
	if (protocol == 4) {
		keys13(&client, client_secret);
		keys13(&server, server_secret);
	} else {
		int mac_len = !cbc ? 0 : mac_nid == NID_sha1 ? 20 : mac_nid == NID_sha256 ? 32 : 48;
		keys12(ssl, &client, &server, protocol, mac_len, poly ? 12 : !cbc ? 4 : protocol == 1 ? 16 : 0);
		struct link_keys *write_keys = is_server ? &server : &client, *read_keys = is_server ? &client : &server;
		if (!cbc && !poly) {
			// The explicit nonce behind that of our Finished.
			memcpy(write_keys->iv + 4, last_out + 5, 8);
			for (int i = 11; i >= 4 && ++write_keys->iv[i] == 0; i--) continue;
			write_keys->iv_len = 12;
		}
		if (protocol == 1) {
			// RFC 2246 6.2.3.2: the next IV is the last block of Finished.
			memcpy(write_keys->iv, last_out + last_out_len - 16 - (etm ? mac_len : 0), 16);
			memcpy(read_keys->iv, last_in + last_in_len - 16 - (etm ? mac_len : 0), 16);
		}
	}
	SSL_set_quiet_shutdown(ssl, 1);
	SSL_free(ssl);
	SSL_CTX_free(ctx);

	link_open();
	int error = link_arm(1, 0, is_server ? &server : &client);
	if (error == 0) error = link_arm(0, 0, is_server ? &client : &server);
	if (error) die("arming: %d", error);

	static uint8_t data[1 << 16];
	srand(1);
	signal(SIGALRM, too_long);
	for (long done = 0; done < bytes;) {
		size_t n = rand() % 4 ? 1 + (size_t)rand() % 2000 : 1 + (size_t)rand() % sizeof(data);
		for (size_t i = 0; i < n; i++) data[i] = (uint8_t)rand();
		alarm(20);
		written += (long)n;
		put(fd, data, n, 0);
		expect(fd, data, n);
		done += (long)n;
		if (updates > 0 && protocol == 4) update_write(fd), updates--;
	}
	put(fd, (const uint8_t *)"\1\0", 2, 21);
	link_close();
	close(fd);
	printf("done updates=%d tickets=%d\n", updates_seen, tickets_seen);
	return 0;
}
