import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import https, { type HttpFileOptions, type HttpFileResult, sendFile } from '../../lib/https.js';
import { certificates } from './certificates.js';
import { engine, listen } from './tls-ends.js';

const { server: own } = certificates();

/** Options of servers under test. */
export const serverOptions = { cert: own.cert, key: own.key, engine };

/** A folder of files, removed at the end. */
export class Folder {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'so-crypt-http-file-'));

  constructor() {
    after(() => rmSync(this.path, { recursive: true }));
  }

  of(name: string): string {
    return path.join(this.path, name);
  }

  /** Random content. */
  make(name: string, length: number): Buffer {
    const content = randomBytes(length);
    writeFileSync(this.of(name), content);
    return content;
  }

  /** Descriptors of this process that are open on its files. */
  get open(): number {
    return readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(this.path);
      } catch {
        return false;
      }
    }).length;
  }
}

export interface FileServer {
  readonly port: number;
  /** What sendFile answered for each request, in order. */
  readonly results: Promise<HttpFileResult>[];
  readonly server: http.Server;
}

/** Answers /name with the folder's file; `prepare` sees the request before. */
export async function fileServer(
  folder: Folder,
  options: HttpFileOptions = {},
  prepare: (request: http.IncomingMessage, response: http.ServerResponse) => void = () => {},
): Promise<FileServer> {
  const results: Promise<HttpFileResult>[] = [];
  const server = https.createServer(serverOptions, (request, response) => {
    prepare(request, response);
    const result = sendFile(request, response, folder.of(request.url!.slice(1)), options);
    results.push(result);
    result.catch((error) => {
      if (!response.headersSent) response.writeHead(error.code === 'ENOENT' ? 404 : 500).end(error.code);
    });
  });
  return { port: await listen(server), results, server: server as unknown as http.Server };
}
