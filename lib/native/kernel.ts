import type { SshSpec } from './packets.js';
import type { DirectionSpec } from './records.js';

/** KtlsKeys of native/kernel/ktls.h, SoCryptKeys of native/kernel/so_crypt.h. Errors are -errno. */
export interface KernelKeys {
  readonly usedKeys: Uint8Array;
  /**
   * Gives the kernel the key.
   * @param sequence of the next record, where it is another than that of the constructor
   * @param again the direction has been armed with another key before
   */
  arm(fd: number, sequence?: bigint, again?: boolean): number;
  /** so_crypt: the IV of the next record, where it is chained. */
  setIv?(iv: Uint8Array): void;
  /** The key after a KeyUpdate; `arm` gives it to the kernel. False: there is no traffic secret. */
  next(): boolean;
  /** Of the next record; undefined when the kernel does not tell. */
  sequence(fd: number): bigint | undefined;
  dispose(): void;
}

/** Readiness of native/kernel/readiness.h. Results are 0 or -errno. */
export interface Readiness {
  /** 0, or -errno: it can't be used. */
  readonly error: number;
  /** @param id told with each event @param isKnown the descriptor is watched already */
  watch(fd: number, id: number, writable: boolean, isKnown: boolean): number;
  forget(fd: number): void;
  setRef(on: boolean): void;
}

/** native/addon_linux.cc: what only Linux has. */
export interface LinuxKernel {
  /** Sets TCP_ULP. */
  attachKtls(fd: number): number;
  sendFile(fd: number, file: number, offset: number, count: number): number;
  sendFileInBackground(
    fd: number,
    file: number,
    offset: number,
    count: number,
    callback: (result: number) => void,
  ): void;
  /** A regular file's descriptor without waiting; facts: size, seconds and nanoseconds of the last change. */
  openCached(path: string, facts: Float64Array): number;
  /** What is in the page cache; 0 at the file's end. */
  readCached(file: number, out: Uint8Array, length: number, offset: number): number;
  /** SO_RCVLOWAT: the connection is readable when so many bytes have come, or FIN. */
  setReceiveLowat?(fd: number, bytes: number): number;
  /** [error, rekey, step]; null: kTLS has no such cipher. */
  probe(cipher: string, version: number): [error: number, rekey: boolean, step: string] | null;
  /** What the kernel carries on a socket that another process has armed; null: nothing. Ciphers by the kernel's names with so_crypt. */
  inherited(
    fd: number,
  ):
    | number
    | null
    | [
        engine: 'ktls' | 'so_crypt',
        protocol: number,
        cipher: string,
        mac: string,
        encryptThenMac: boolean,
        write: boolean,
        read: boolean,
      ];
  /** Of the next record. @param cipher ktls: its name; so_crypt: '' */
  inheritedSequence(fd: number, cipher: string, write: boolean): bigint | undefined;
  /** TLS_RX_EXPECT_NO_PAD. */
  expectNoPadding(fd: number): number;
  isOnDevice(fd: number, write: boolean): boolean;
  KtlsKeys: new (spec: DirectionSpec, version: number, write: boolean) => KernelKeys;
}

/** native/addon_kernel.cc. Results are counts, or -errno. */
export interface Kernel extends Partial<LinuxKernel> {
  /** Sets TCP_ULP, on Linux. */
  attachSoCrypt(fd: number): number;
  probeSoCrypt(): [error: number, step: string];
  SoCryptKeys: new (
    spec: DirectionSpec | SshSpec,
    protocol: number,
    write: boolean,
    maxPayload: number,
  ) => KernelKeys;
  /** Plaintext of one record type, which is told in type[0]; that is 0 at FIN. */
  receive(fd: number, out: Uint8Array, type: Uint8Array): number;
  /** Bytes of the stream while the kernel has no read key. */
  receivePlain(fd: number, out: Uint8Array): number;
  sendRecord(fd: number, type: number, content: Uint8Array): number;
  /** SSH: how many of payloads[from, to) the kernel has taken, each as one packet. */
  sendPayloads(fd: number, payloads: readonly Uint8Array[], from: number, to: number): number;
  /**
   * SSH: a ReceiveStatus of native/kernel/ssh_io.h. `native.result`: payloads, bytes behind them that are the beginning of another
   * one; `native.sshPayloads`: where in `out` they lie. The first `partial` bytes of `out` are the beginning of the first payload.
   */
  receivePayloads(fd: number, out: Uint8Array, partial: number): number;
  Readiness: new (callback: (ids: Uint32Array, events: Uint32Array, count: number) => void) => Readiness;
}
