import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { benchCertificate, benchKey } from './certificate.js';
import { mainCipher } from './ciphers.js';
import type { HttpsJob } from './https-job.js';
import { jobOf, report } from './worker.js';

// One of the servers that a trial compares. /memory is a response from memory, any other path a file.

const job = jobOf<HttpsJob>();
const body = Buffer.alloc(1000, 'x');
const options = {
  key: benchKey,
  cert: benchCertificate,
  ciphers: mainCipher.suite,
  minVersion: mainCipher.version,
  maxVersion: mainCipher.version,
};

function fromMemory(response: ServerResponse): void {
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

async function serve(): Promise<Server> {
  if (job.way === 'node') {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.url === '/memory') return fromMemory(response);
      const path = join(job.folder, request.url!);
      response.setHeader('Content-Length', statSync(path).size);
      createReadStream(path).pipe(response);
    };
    if (!job.isHttp2) return (await import('node:https')).createServer(options, onRequest);
    return (await import('node:http2')).createSecureServer(options, onRequest as never);
  }
  const { createSecureServer, sendFile } = await import('../lib/http2.js');
  const { createServer } = await import('../lib/https.js');
  const engine = job.way as 'evp';
  const onRequest: RequestListener = (request, response) => {
    if (request.url === '/memory') return fromMemory(response);
    // Clients that go away at the end of a round are no failure.
    sendFile(request, response, join(job.folder, request.url!)).catch(() => {});
  };
  return job.isHttp2
    ? createSecureServer({ ...options, engine }, onRequest as never)
    : (createServer({ ...options, engine }, onRequest) as unknown as Server);
}

const server = await serve();
server.listen(0, '127.0.0.1', () => report('listening', { port: (server.address() as AddressInfo).port }));
