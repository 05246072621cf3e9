import { Duplex } from 'node:stream';
import tls from 'node:tls';

/** Node's stream base that JavaScript implements: a handle for whatever is no connection of the kernel. */
export interface JSStream {
  readBuffer(bytes: Buffer): void;
  emitEOF(): void;
  finishWrite(request: object, status: number): void;
  finishShutdown(request: object, status: number): void;
  isClosing(): boolean;
  onreadstart(): number;
  onreadstop(): number;
  onshutdown(request: object): number;
  onwrite(request: object, chunks: Buffer[]): number;
  close(callback?: () => void): void;
}

export const UV_ECANCELED = -125;
export const UV_EPIPE = -32;

// Programs may put functions of their own in place of Node's.
const { createSecureContext, TLSSocket } = tls;

let known: (new () => JSStream) | undefined;

/** Node gives the class to nobody, but every TLSSocket over a Duplex stands on an instance of it. */
export function newJSStream(): JSStream {
  if (known === undefined) {
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
    const probe = new TLSSocket(duplex, {
      isServer: true,
      secureContext: createSecureContext({ ca: [] }),
    });
    const { _parent } = (probe as unknown as { _handle: { _parent: JSStream } })._handle;
    known = _parent.constructor as new () => JSStream;
    probe.on('error', () => {}).destroy();
  }
  return new known();
}
