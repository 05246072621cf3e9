// Tests of Node's that so-crypt is known to fail, and why.
const RENEGOTIATION =
  'renegotiates: after the handshake there is no SSL object to do it; TLS 1.3 has none either';

export const known = new Map([
  ['test-https-client-renegotiation-limit.js', RENEGOTIATION],
  [
    'test-tls-buffersize.js',
    'counts a write as buffered that the kernel has taken at once (node:tls encrypts it first and writes later)',
  ],
  ['test-tls-disable-renegotiation.js', RENEGOTIATION],
  [
    'test-tls-max-send-fragment.js',
    "expects one 'data' for each record; so-crypt delivers all records of a read in one piece (they are as small as was asked for)",
  ],
  [
    'test-tls-pause.js',
    'expects write() of 1 MB to return false; it returns true when the kernel has taken all of it at once',
  ],
  [
    'test-tls-reinitialize-listeners.js',
    'calls an internal method of TLSSocket (--expose-internals) that makes a new OpenSSL stream',
  ],
  [
    'test-tls-writewrap-leak.js',
    "expects ECANCELED for a write that waited for a handshake that failed; so-crypt tells that write the handshake's error",
  ],
]);
