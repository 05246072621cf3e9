// What holds for handshakes in this thread holds for those in others.
process.env.TEST_HANDSHAKE_WORKERS ??= '1';
await import('./server-tests.js');
