// A process whose system calls are counted: sends 8 MB on an armed socket, in writes of 16 KB or by sendFile(), to a socket of its own.
import { once } from 'node:events';
import net from 'node:net';
import { Socket } from '../../lib/index.js';

const how = process.argv[2];
const size = 8 * 1_048_576;
const server = net.createServer((socket) => socket.resume());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const socket = new Socket();
socket.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
await once(socket, 'connect');
socket.setCrypt({
  protocol: 'tls1.3',
  cipher: 'aes-128-gcm',
  engine: 'ktls',
  write: { secret: Buffer.alloc(32, 1) },
});
if (how === 'write') {
  const record = Buffer.alloc(16_384, 7);
  for (let sent = 0; sent < size; sent += record.length)
    await new Promise<void>((resolve, reject) => {
      socket.write(record, (error?: Error | null) => (error ? reject(error) : resolve()));
    });
}
if (how === 'sendFile') {
  await socket.sendFile(process.argv[3]!);
}
socket.end();
await once(socket, 'close').catch(() => {});
server.close();
process.exit();
