// What holds for handshakes in this thread holds for those in threads of Node's.
process.env.TEST_HANDSHAKE_WORKERS ??= '1';
process.env.TEST_NATIVE_HANDSHAKES = 'no';
await import('../tls/handshake-failures.test.js');
await import('../tls/peer-identity.test.js');
await import('../tls/resumption.test.js');
await import('../tls/counters.test.js');
await import('../tls/matrix-openssl.test.js');
await import('../tls/https-curl.test.js');
await import('../https/servers.test.js');
await import('../https/http2.test.js');
