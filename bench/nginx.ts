import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchCertificate, benchKey } from './certificate.js';
import { own } from './child.js';
import { withSbin } from './https-load.js';

/** nginx with one process, serving a folder by TLS 1.3 with AES-128-GCM. */
export class Nginx {
  readonly #process: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  static async start(folder: string): Promise<Nginx> {
    const port = await freePort();
    writeFileSync(join(folder, 'cert.pem'), benchCertificate);
    writeFileSync(join(folder, 'key.pem'), benchKey);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const configuration = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  access_log off; sendfile on; keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${port} ssl; root ${folder};
    ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  }
}`;
    const path = join(folder, 'nginx.conf');
    writeFileSync(path, configuration);
    const child = spawn('nginx', ['-p', folder, '-c', path, '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: withSbin,
    });
    own(child);
    for (let i = 0; !(await listens(port)); i++) {
      if (i === 100 || child.exitCode !== null) throw new Error('nginx does not listen');
      await sleep(100);
    }
    return new Nginx(child, port);
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

// nginx takes no port 0.
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
