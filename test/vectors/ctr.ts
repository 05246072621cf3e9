import type { CipherName } from '../../lib/crypt-options.js';

/** One CTR encryption, all in hex. */
export interface CtrVector {
  readonly source: string;
  readonly cipher: CipherName;
  readonly key: string;
  readonly iv: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

/** AES in counter mode; `iv` is the whole first counter block. */
export const ctrVectors: readonly CtrVector[] = [
  {
    source: 'NIST SP 800-38A, F.5.1 and F.5.2',
    cipher: 'aes-128-ctr',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    iv: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    plaintext:
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef' +
      'f69f2445df4f9b17ad2b417be66c3710',
    ciphertext:
      '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab' +
      '1e031dda2fbe03d1792170a0f3009cee',
  },
  {
    source: 'NIST SP 800-38A, F.5.5 and F.5.6',
    cipher: 'aes-256-ctr',
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    iv: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    plaintext:
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef' +
      'f69f2445df4f9b17ad2b417be66c3710',
    ciphertext:
      '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988d' +
      'dfc9c58db67aada613c2dd08457941a6',
  },
  {
    source: 'RFC 3686, section 6, test vector #1',
    cipher: 'aes-128-ctr',
    key: 'ae6852f8121067cc4bf7a5765577f39e',
    iv: '00000030000000000000000000000001',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    source: 'RFC 3686, section 6, test vector #2',
    cipher: 'aes-128-ctr',
    key: '7e24067817fae0d743d6ce1f32539163',
    iv: '006cb6dbc0543b59da48d90b00000001',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: '5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28',
  },
  {
    source: 'RFC 3686, section 6, test vector #3',
    cipher: 'aes-128-ctr',
    key: '7691be035e5020a8ac6e618529f9a0dc',
    iv: '00e0017b27777f3f4a1786f000000001',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
    ciphertext: 'c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f',
  },
  {
    source: 'RFC 3686, section 6, test vector #7',
    cipher: 'aes-256-ctr',
    key: '776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104',
    iv: '00000060db5672c97aa8f0b200000001',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: '145ad01dbf824ec7560863dc71e3e0c0',
  },
  {
    source: 'RFC 3686, section 6, test vector #8',
    cipher: 'aes-256-ctr',
    key: 'f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884',
    iv: '00faac24c1585ef15a43d87500000001',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: 'f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c',
  },
  {
    source: 'RFC 3686, section 6, test vector #9',
    cipher: 'aes-256-ctr',
    key: 'ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d',
    iv: '001cc5b751a51d70a1c1114800000001',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
    ciphertext: 'eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8',
  },
];
