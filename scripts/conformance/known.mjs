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
const CBC = 'agrees on a CBC suite, which kTLS has not; an engine that is named is never replaced';
const NO_TCP =
  'goes over a Unix domain socket; kTLS is of TCP, and an engine that is named is never replaced';
const NO_CONNECTION =
  'goes over a stream that is no connection of the kernel, or a socket that is still connecting; an engine that is named is never replaced';

const each = (reason, module, names) => names.map((name) => [`test-${module}-${name}.js`, reason]);

// Beside these, under an engine that is named by SO_CRYPT_ENGINE.
const under = {
  ktls: [
    ...each(OLD_TLS, 'https', ['agent-additional-options', 'agent-session-eviction']),
    ...each(OLD_TLS, 'tls', ['getprotocol']),
    ...each(CBC, 'tls', ['client-getephemeralkeyinfo', 'getcipher', 'honorcipherorder']),
    ...each(NO_TCP, 'https', ['unix-socket-self-signed']),
    ...each(NO_TCP, 'tls', ['connect-pipe', 'net-connect-prefer-path']),
    ...each(NO_CONNECTION, 'tls', [
      ...['connect-given-socket', 'connect-stream-writes', 'destroy-stream', 'destroy-stream-12'],
      ...['error-servername', 'generic-stream', 'handshake-exception', 'inception', 'js-stream'],
      ...['net-socket-keepalive', 'net-socket-keepalive-12', 'on-empty-socket', 'streamwrap-buffersize'],
    ]),
  ],
};

/** The tests that fail, and why, with an engine. */
export function knownWith(engine) {
  return new Map([...known, ...(under[engine] ?? [])]);
}
