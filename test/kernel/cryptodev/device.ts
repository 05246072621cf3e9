import { type Fields, type IoctlName, number, pack, structOf, unpack, type Width, WRITE_IV } from './abi.js';
import { Remote } from './remote.js';

export interface Keys {
  readonly cipher?: number;
  readonly key?: Buffer;
  readonly mac?: number;
  readonly macKey?: Buffer;
}

export interface Operation {
  readonly ses: number;
  readonly decrypt?: boolean;
  readonly flags?: number;
  readonly data: Buffer;
  /** null: no pointer. */
  readonly iv?: Buffer | null;
  readonly inPlace?: boolean;
  /** Bytes by which src and dst miss the beginning of a page. */
  readonly offsets?: readonly [number, number];
  /** Bytes that are expected at `mac`. */
  readonly mac?: number;
}

export interface Authenticated extends Operation {
  readonly aad?: Buffer;
  readonly tag?: number;
  readonly ivLength?: number;
}

export interface Result {
  readonly data: Buffer;
  readonly mac: Buffer;
  readonly iv: Buffer;
  /** The structure as the kernel left it. */
  readonly op: Record<string, number | string>;
  /** What lies before and behind dst, which the kernel must leave alone. */
  readonly around: Buffer;
}

// The arena: structure, small things, src, dst.
const STRUCT = 0;
const IV = 512;
const MAC = 1024;
const KEY = 1536;
const MAC_KEY = 2048;
const AAD = 4096;
export const SRC = 1 << 16;
export const DST = 8 << 20;
const GUARD = 32;
const FILL = 0xee;
/** What Result.around is when the kernel kept to dst. */
export const UNTOUCHED = Buffer.alloc(2 * GUARD, FILL);

/** An open /dev/crypto, in a process of its own. */
export class Device {
  constructor(
    readonly remote: Remote,
    readonly fd: number,
    public width: Width = 64,
  ) {}

  static async open(width: Width = 64): Promise<Device> {
    const remote = await Remote.start();
    return new Device(remote, await remote.call('open'), width);
  }

  /** Another open file of the same process. */
  async another(): Promise<Device> {
    return new Device(this.remote, await this.remote.call('open'), this.width);
  }

  /** Addresses below are offsets in the arena. */
  at(offset: number): number {
    return this.remote.base + offset;
  }

  async ioctl(name: IoctlName, fields: Fields, how?: string): Promise<Record<string, number | string>> {
    const struct = structOf(name);
    const bytes = pack(struct, fields, this.width);
    const stored = this.remote.put(STRUCT, bytes);
    const command = how ?? (this.width === 32 ? 'ioctl32' : 'ioctl');
    const done = this.remote.call(`${command} ${this.fd} ${number(name, this.width)} ${this.at(STRUCT)}`);
    const after = this.remote.get(STRUCT, bytes.length);
    await Promise.all([stored, done, after]);
    return unpack(struct, await after, this.width);
  }

  async #keys({ cipher = 0, key = Buffer.alloc(0), mac = 0, macKey = Buffer.alloc(0) }: Keys) {
    await this.remote.put(KEY, key);
    await this.remote.put(MAC_KEY, macKey);
    return {
      ...{ cipher, mac, keylen: key.length, mackeylen: macKey.length },
      ...{ key: this.at(KEY), mackey: this.at(MAC_KEY) },
    };
  }

  async session(keys: Keys): Promise<number> {
    return Number((await this.ioctl('CIOCGSESSION', await this.#keys(keys))).ses);
  }

  async sessionByDriver(keys: Keys, drivers: Fields): Promise<number> {
    return Number((await this.ioctl('CIOCGSESSDRV', { ...(await this.#keys(keys)), ...drivers })).ses);
  }

  async finish(ses: number): Promise<void> {
    await this.ioctl('CIOCFSESSION', { value: ses });
  }

  async close(): Promise<void> {
    await this.remote.call(`close ${this.fd}`);
  }

  async end(): Promise<void> {
    await this.remote.end();
  }

  /** Src, dst and IV in their places; dst and what is around it are full of FILL. */
  async #place({ data, iv, inPlace, offsets = [0, 0] }: Operation, out: number) {
    const src = SRC + offsets[0];
    const dst = inPlace ? src : DST + offsets[1];
    const { remote } = this;
    const written = [remote.put(dst - GUARD, Buffer.alloc(GUARD + out + GUARD, FILL)), remote.put(src, data)];
    if (iv) written.push(remote.put(IV, iv));
    await Promise.all(written);
    return { src, dst };
  }

  async #result(dst: number, length: number, mac: number, iv: number, op: Result['op']): Promise<Result> {
    const { remote } = this;
    const [before, data, behind] = await Promise.all([
      remote.get(dst - GUARD, GUARD),
      remote.get(dst, length),
      remote.get(dst + length, GUARD),
    ]);
    const around = Buffer.concat([before, behind]);
    return { op, data, around, mac: await remote.get(MAC, mac), iv: await remote.get(IV, iv) };
  }

  async crypt(operation: Operation): Promise<Result> {
    const { ses, decrypt, flags = 0, data, iv, mac = 0 } = operation;
    const { src, dst } = await this.#place(operation, data.length);
    const op = await this.ioctl('CIOCCRYPT', {
      ...{ ses, op: decrypt ? 1 : 0, flags, len: data.length, src: this.at(src), dst: this.at(dst) },
      ...{ mac: mac > 0 ? this.at(MAC) : 0, iv: iv ? this.at(IV) : 0 },
    });
    return this.#result(dst, data.length, mac, flags & WRITE_IV ? iv!.length : 0, op);
  }

  async auth(operation: Authenticated): Promise<Result> {
    const { ses, decrypt, flags = 0, data, iv, aad = Buffer.alloc(0), tag = 0 } = operation;
    const taglen = tag || 16;
    const out = decrypt ? Math.max(0, data.length - taglen) : data.length + taglen;
    const { src, dst } = await this.#place(operation, out);
    await this.remote.put(AAD, aad);
    const op = await this.ioctl('CIOCAUTHCRYPT', {
      ...{ ses, op: decrypt ? 1 : 0, flags, len: data.length, auth_len: aad.length, auth_src: this.at(AAD) },
      ...{ src: this.at(src), dst: this.at(dst), tag_len: tag },
      ...{ iv: iv ? this.at(IV) : 0, iv_len: operation.ivLength ?? iv?.length ?? 0 },
    });
    return this.#result(dst, Number(op.len), 0, 0, op);
  }

  /** What is in dst now. */
  output(length: number, offset = 0): Promise<Buffer> {
    return this.remote.get(DST + offset, length);
  }
}
