// What holds for handshakes without JavaScript, which are the rule, holds for those of Node's TLSSocket in this thread.
process.env.TEST_NATIVE_HANDSHAKES = 'no';
await import('./server-tests.js');
