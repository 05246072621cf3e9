import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './commands.js';

/** A certificate with its key, as PEM and as files (for openssl and curl). */
export interface Credential {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A P-256 CA and what it has signed, and an RSA-2048 server certificate of the same CA. */
export interface Certificates {
  readonly ca: Credential;
  /** P-256, for localhost and 127.0.0.1. */
  readonly server: Credential;
  /** P-256, for client authentication. */
  readonly client: Credential;
  /** RSA-2048, for localhost and 127.0.0.1. */
  readonly rsaServer: Credential;
}

const config = `[req]
distinguished_name = dn
prompt = no
[dn]
CN = so-crypt test
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
authorityKeyIdentifier = keyid
[client]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
`;

const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const rsaKey = ['-newkey', 'rsa:2048', '-nodes'];
const common = ['-config', 'openssl.cnf', '-sha256'];

function request(name: string, key: string[], subject: string): string[] {
  return [
    'req',
    '-new',
    ...common,
    ...key,
    '-subj',
    subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  ];
}

function sign(name: string, section: string): string[] {
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '3650', '-sha256'];
  return [
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-out',
    `${name}.crt`,
    ...ca,
    '-extfile',
    'openssl.cnf',
    '-extensions',
    section,
  ];
}

/** The openssl commands, in order. They are the key of the cache as well. */
const recipe: string[][] = [
  [
    'req',
    '-x509',
    ...common,
    ...ecKey,
    '-subj',
    '/CN=so-crypt test CA',
    '-days',
    '3650',
    '-extensions',
    'ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  ],
  request('server', ecKey, '/CN=localhost'),
  sign('server', 'server'),
  request('client', ecKey, '/CN=so-crypt test client'),
  sign('client', 'client'),
  request('rsa-server', rsaKey, '/CN=localhost'),
  sign('rsa-server', 'server'),
];

function directory(): string {
  const digest = createHash('sha256')
    .update(config)
    .update(JSON.stringify(recipe))
    .digest('hex')
    .slice(0, 16);
  return path.join(os.tmpdir(), `so-crypt-test-${os.userInfo().uid}-${digest}`);
}

function load(dir: string): Certificates {
  const credential = (name: string): Credential => {
    const certFile = path.join(dir, `${name}.crt`);
    const keyFile = path.join(dir, `${name}.key`);
    const [cert, key] = [certFile, keyFile].map((file) => fs.readFileSync(file, 'utf8'));
    if (Date.parse(new X509Certificate(cert!).validTo) < Date.now() + 86_400_000)
      throw new Error(`${certFile} expires`);
    return { cert: cert!, key: key!, certFile, keyFile };
  };
  return {
    ca: credential('ca'),
    server: credential('server'),
    client: credential('client'),
    rsaServer: credential('rsa-server'),
  };
}

/**
 * Other test processes may do the same now: each builds in a directory of its own, and the first rename wins.
 */
function build(dir: string): Certificates {
  const own = fs.mkdtempSync(`${dir}-`);
  fs.writeFileSync(path.join(own, 'openssl.cnf'), config);
  for (const args of recipe) run('openssl', args, own);
  try {
    fs.renameSync(own, dir);
  } catch {
    fs.rmSync(own, { recursive: true, force: true });
  }
  return load(dir);
}

let made: Certificates | undefined;

/** Makes them on the first call ever, and keeps them in the temporary directory. */
export function certificates(): Certificates {
  if (made !== undefined) return made;
  const dir = directory();
  try {
    made = load(dir);
  } catch {
    fs.rmSync(dir, { recursive: true, force: true });
    made = build(dir);
  }
  return made;
}
