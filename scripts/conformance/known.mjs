// Tests of Node's that so-crypt is known to fail, and why.
const RENEGOTIATION =
  'renegotiates: after the handshake there is no SSL object to do it; TLS 1.3 has none either';

const known = new Map([
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

const OLD_TLS = 'speaks TLS 1.0 or 1.1, which kTLS has not; an engine that is named is never replaced';
const NO_TCP =
  'goes over a Unix domain socket; kTLS is of TCP, and an engine that is named is never replaced';

// Beside these, under an engine that is named by SO_CRYPT_ENGINE.
const under = {
  ktls: [
    ['test-https-agent-additional-options.js', OLD_TLS],
    ['test-https-agent-session-eviction.js', OLD_TLS],
    ['test-https-unix-socket-self-signed.js', NO_TCP],
  ],
};

/** The tests that fail, and why, with an engine. */
export function knownWith(engine) {
  return new Map([...known, ...(under[engine] ?? [])]);
}
