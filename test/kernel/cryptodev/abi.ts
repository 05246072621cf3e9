/** The structures of /dev/crypto as bytes, for programs of 64 and of 32 bits. */
export type Width = 64 | 32;

type Type = 'u16' | 'u32' | 'ptr' | 'u64';
type Layout = Readonly<Record<string, Type | readonly ['bytes', number]>>;

const NAME = ['bytes', 64] as const;

export const layouts = {
  session_op: {
    cipher: 'u32',
    mac: 'u32',
    keylen: 'u32',
    key: 'ptr',
    mackeylen: 'u32',
    mackey: 'ptr',
    ses: 'u32',
  },
  session_driver_op: {
    ...{ cipher: 'u32', mac: 'u32', keylen: 'u32', mackeylen: 'u32', key: 'u64', mackey: 'u64' },
    ...{ cipher_driver: NAME, mac_driver: NAME, ses: 'u32', flags: 'u32' },
  },
  session_info_op: {
    ...{ ses: 'u32', cipher_name: NAME, cipher_driver: NAME, hash_name: NAME, hash_driver: NAME },
    ...{ alignmask: 'u16', flags: 'u32' },
  },
  crypt_op: {
    ...{ ses: 'u32', op: 'u16', flags: 'u16', len: 'u32' },
    ...{ src: 'ptr', dst: 'ptr', mac: 'ptr', iv: 'ptr' },
  },
  crypt_auth_op: {
    ...{ ses: 'u32', op: 'u16', flags: 'u16', len: 'u32', auth_len: 'u32' },
    ...{ auth_src: 'ptr', src: 'ptr', dst: 'ptr', tag: 'ptr', tag_len: 'u32', iv: 'ptr', iv_len: 'u32' },
  },
  cphash_op: { dst_ses: 'u32', src_ses: 'u32' },
  u32: { value: 'u32' },
} as const satisfies Record<string, Layout>;

export type StructName = keyof typeof layouts;
export type Fields = Readonly<Record<string, number | string>>;

interface Placed {
  readonly name: string;
  readonly type: Type | 'bytes';
  readonly offset: number;
  readonly size: number;
}

function place(struct: StructName, width: Width): { fields: Placed[]; size: number } {
  const fields: Placed[] = [];
  let offset = 0;
  let alignment = 1;
  for (const [name, type] of Object.entries(layouts[struct] as Layout)) {
    const sizes = { u16: 2, u32: 4, u64: 8, ptr: width / 8 };
    const size = typeof type === 'string' ? sizes[type] : type[1];
    const own = typeof type === 'string' ? size : 1;
    alignment = Math.max(alignment, own);
    offset = Math.ceil(offset / own) * own;
    fields.push({ name, type: typeof type === 'string' ? type : 'bytes', offset, size });
    offset += size;
  }
  return { fields, size: Math.ceil(offset / alignment) * alignment };
}

/** A structure's bytes; fields that are not named are 0. */
export function pack(struct: StructName, values: Fields, width: Width): Buffer {
  const { fields, size } = place(struct, width);
  const out = Buffer.alloc(size);
  for (const { name, offset, size: bytes, type } of fields) {
    const value = values[name] ?? 0;
    if (typeof value === 'string') out.write(value, offset, bytes, 'latin1');
    else if (bytes === 8) out.writeBigUInt64LE(BigInt(value), offset);
    else if (type !== 'bytes') out.writeUIntLE(value, offset, bytes);
  }
  return out;
}

export function unpack(struct: StructName, data: Buffer, width: Width): Record<string, number | string> {
  return Object.fromEntries(
    place(struct, width).fields.map(({ name, offset, size, type }) => {
      if (type === 'bytes')
        return [name, data.toString('latin1', offset, offset + size).replace(/\0.*$/s, '')];
      if (size === 8) return [name, Number(data.readBigUInt64LE(offset))];
      return [name, data.readUIntLE(offset, size)];
    }),
  );
}

const WRITE = 1;
const READ = 2;
const ioctls = {
  CRIOGET: [READ | WRITE, 101, 'u32'],
  CIOCGSESSION: [READ | WRITE, 102, 'session_op'],
  CIOCFSESSION: [WRITE, 103, 'u32'],
  CIOCCRYPT: [READ | WRITE, 104, 'crypt_op'],
  CIOCASYMFEAT: [READ, 106, 'u32'],
  CIOCGSESSINFO: [READ | WRITE, 107, 'session_info_op'],
  CIOCAUTHCRYPT: [READ | WRITE, 109, 'crypt_auth_op'],
  CIOCASYNCCRYPT: [WRITE, 110, 'crypt_op'],
  CIOCASYNCFETCH: [READ, 111, 'crypt_op'],
  CIOCCPHASH: [WRITE, 112, 'cphash_op'],
  CIOCGSESSDRV: [READ | WRITE, 160, 'session_driver_op'],
} as const satisfies Record<string, readonly [number, number, StructName]>;

export type IoctlName = keyof typeof ioctls;
export const ioctlNames = Object.keys(ioctls) as IoctlName[];
export const structOf = (name: IoctlName): StructName => ioctls[name][2];

/** _IOC of asm-generic/ioctl.h. */
export function number(name: IoctlName, width: Width): number {
  const [direction, nr, struct] = ioctls[name];
  return ((direction << 30) | (place(struct, width).size << 16) | ('c'.charCodeAt(0) << 8) | nr) >>> 0;
}

/** Algorithms by the ABI's number, with OpenSSL's name and the key's bytes. */
export const ciphers = {
  'des-ede3-cbc': { number: 2, key: 24, iv: 8, block: 8 },
  'aes-128-cbc': { number: 11, key: 16, iv: 16, block: 16 },
  'aes-192-cbc': { number: 11, key: 24, iv: 16, block: 16 },
  'aes-256-cbc': { number: 11, key: 32, iv: 16, block: 16 },
  'aes-128-ctr': { number: 21, key: 16, iv: 16, block: 1 },
  'aes-256-ctr': { number: 21, key: 32, iv: 16, block: 1 },
  'aes-128-xts': { number: 22, key: 32, iv: 16, block: 16 },
  'aes-256-xts': { number: 22, key: 64, iv: 16, block: 16 },
  'aes-128-ecb': { number: 23, key: 16, iv: 0, block: 16 },
  'aes-256-ecb': { number: 23, key: 32, iv: 0, block: 16 },
  'camellia-128-cbc': { number: 101, key: 16, iv: 16, block: 16 },
  'camellia-256-cbc': { number: 101, key: 32, iv: 16, block: 16 },
} as const;

export const aeads = {
  'aes-128-gcm': { number: 50, key: 16 },
  'aes-256-gcm': { number: 50, key: 32 },
  'aes-128-ccm': { number: 51, key: 16 },
  'aes-256-ccm': { number: 51, key: 32 },
} as const;

export const hashes = {
  md5: 13,
  sha1: 14,
  ripemd160: 102,
  sha224: 103,
  sha256: 104,
  sha384: 105,
  sha512: 106,
};
export const hmacs = { md5: 6, sha1: 7, ripemd160: 8, sha224: 107, sha256: 18, sha384: 19, sha512: 20 };

export const UPDATE = 1;
export const FINAL = 2;
export const WRITE_IV = 4;
export const NO_ZC = 8;
export const TLS_TYPE = 16;
export const SRTP_TYPE = 32;
export const RESET = 64;
