// A process with five connections from so-crypt to so-crypt under kTLS, which exchange some bytes and close.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from '../../lib/tls.js';
import { certificates } from '../support/certificates.js';

const { server: credential, ca } = certificates();
const options = { engine: 'ktls', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;
const server = tls.createServer({ cert: credential.cert, key: credential.key, ...options }, (socket) => {
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
for (let i = 0; i < 5; i++) {
  const client = tls.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: ca.cert,
    ...options,
  });
  let echo = '';
  client.on('data', (chunk: Buffer) => {
    echo += chunk;
  });
  client.write('through the kernel');
  await once(client, 'data');
  client.end(' again');
  await once(client, 'close');
  if (echo !== 'through the kernel again') throw new Error(`echo: ${echo}`);
}
server.close();
