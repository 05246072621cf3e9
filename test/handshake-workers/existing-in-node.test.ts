// What holds for handshakes in this thread holds for those in threads of Node's.
process.env.TEST_HANDSHAKE_WORKERS ??= '1';
process.env.TEST_NATIVE_HANDSHAKES = 'no';
await import('./server-tests.js');
