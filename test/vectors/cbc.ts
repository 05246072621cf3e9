import type { CipherName } from '../../lib/crypt-options.js';

/** One CBC encryption without padding, all in hex: the plaintext is whole blocks. */
export interface CbcVector {
  readonly source: string;
  readonly cipher: CipherName;
  readonly key: string;
  readonly iv: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

/** AES and three-key 3DES in CBC mode. */
export const cbcVectors: readonly CbcVector[] = [
  {
    source: 'NIST SP 800-38A, F.2.1 and F.2.2',
    cipher: 'aes-128-cbc',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext:
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef' +
      'f69f2445df4f9b17ad2b417be66c3710',
    ciphertext:
      '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e22229516' +
      '3ff1caa1681fac09120eca307586e1a7',
  },
  {
    source: 'NIST SP 800-38A, F.2.5 and F.2.6',
    cipher: 'aes-256-cbc',
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext:
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef' +
      'f69f2445df4f9b17ad2b417be66c3710',
    ciphertext:
      'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461' +
      'b2eb05e2c39be9fcda6c19078c6a9d1b',
  },
  {
    source: 'RFC 3602, section 4, case 1',
    cipher: 'aes-128-cbc',
    key: '06a9214036b8a15b512e03d534120006',
    iv: '3dafba429d9eb430b422da802c9fac41',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: 'e353779c1079aeb82708942dbe77181a',
  },
  {
    source: 'RFC 3602, section 4, case 2',
    cipher: 'aes-128-cbc',
    key: 'c286696d887c9aa0611bbb3e2025a45a',
    iv: '562e17996d093d28ddb3ba695a2e6f58',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: 'd296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1',
  },
  {
    source: 'RFC 3602, section 4, case 3',
    cipher: 'aes-128-cbc',
    key: '6c3ea0477630ce21a2ce334aa746c2cd',
    iv: 'c782dc4c098c66cbd9cd27d825682c81',
    plaintext:
      '5468697320697320612034382d62797465206d657373616765202865786163746c7920332041455320626c6f636b7329',
    ciphertext:
      'd0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5021c19216bad525c8579695d83ba2684',
  },
  {
    source: 'RFC 3602, section 4, case 4',
    cipher: 'aes-128-cbc',
    key: '56e47a38c5598974bc46903dba290349',
    iv: '8ce82eefbea0da3c44699ed7db51b7d9',
    plaintext:
      'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf' +
      'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf',
    ciphertext:
      'c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e35907aa632c3ffdf868bb7b29d3d46ad' +
      '83ce9f9a102ee99d49a53e87f4c3da55',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT128, ENCRYPT, COUNT 0',
    cipher: 'aes-128-cbc',
    key: '1f8e4973953f3fb0bd6b16662e9a3c17',
    iv: '2fe2b333ceda8f98f4a99b40d2cd34a8',
    plaintext: '45cf12964fc824ab76616ae2f4bf0822',
    ciphertext: '0f61c4d44c5147c03c195ad7e2cc12b2',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT128, ENCRYPT, COUNT 4',
    cipher: 'aes-128-cbc',
    key: 'b6f9afbfe5a1562bba1368fc72ac9d9c',
    iv: '3f9d5ebe250ee7ce384b0d00ee849322',
    plaintext:
      'db397ec22718dbffb9c9d13de0efcd4611bf792be4fce0dc5f25d4f577ed8cdbd4eb9208d593dda3d4653954ab64f056' +
      '76caa3ce9bfa795b08b67ceebc923fdc89a8c431188e9e482d8553982cf304d1',
    ciphertext:
      '10ea27b19e16b93af169c4a88e06e35c99d8b420980b058e34b4b8f132b13766f72728202b089f428fecdb41c79f8aa0' +
      'd0ef68f5786481cca29e2126f69bc14160f1ae2187878ba5c49cf3961e1b7ee9',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT128, ENCRYPT, COUNT 9',
    cipher: 'aes-128-cbc',
    key: '2c14413751c31e2730570ba3361c786b',
    iv: '1dbbeb2f19abb448af849796244a19d7',
    plaintext:
      '40d930f9a05334d9816fe204999c3f82a03f6a0457a8c475c94553d1d116693adc618049f0a769a2eed6a6cb14c0143e' +
      'c5cccdbc8dec4ce560cfd206225709326d4de7948e54d603d01b12d7fed752fb23f1aa4494fbb00130e9ded4e77e37c0' +
      '79042d828040c325b1a5efd15fc842e44014ca4374bf38f3c3fc3ee327733b0c8aee1abcd055772f18dc04603f7b2c1e' +
      'a69ff662361f2be0a171bbdcea1e5d3f',
    ciphertext:
      '6be8a12800455a320538853e0cba31bd2d80ea0c85164a4c5c261ae485417d93effe2ebc0d0a0b51d6ea18633d210cf6' +
      '3c0c4ddbc27607f2e81ed9113191ef86d56f3b99be6c415a4150299fb846ce7160b40b63baf1179d19275a2e83698376' +
      'd28b92548c68e06e6d994e2c1501ed297014e702cdefee2f656447706009614d801de1caaf73f8b7fa56cf1ba94b6319' +
      '33bbe577624380850f117435a0355b2b',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT256, ENCRYPT, COUNT 0',
    cipher: 'aes-256-cbc',
    key: '6ed76d2d97c69fd1339589523931f2a6cff554b15f738f21ec72dd97a7330907',
    iv: '851e8764776e6796aab722dbb644ace8',
    plaintext: '6282b8c05c5c1530b97d4816ca434762',
    ciphertext: '6acc04142e100a65f51b97adf5172c41',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT256, ENCRYPT, COUNT 4',
    cipher: 'aes-256-cbc',
    key: '9adc8fbd506e032af7fa20cf5343719de6d1288c158c63d6878aaf64ce26ca85',
    iv: '11958dc6ab81e1c7f01631e9944e620f',
    plaintext:
      'c7917f84f747cd8c4b4fedc2219bdbc5f4d07588389d8248854cf2c2f89667a2d7bcf53e73d32684535f42318e24cd45' +
      '793950b3825e5d5c5c8fcd3e5dda4ce9246d18337ef3052d8b21c5561c8b660e',
    ciphertext:
      '9c99e68236bb2e929db1089c7750f1b356d39ab9d0c40c3e2f05108ae9d0c30b04832ccdbdc08ebfa426b7f5efde986e' +
      'd05784ce368193bb3699bc691065ac62e258b9aa4cc557e2b45b49ce05511e65',
  },
  {
    source: 'NIST CAVS 11.1 CBCMMT256, ENCRYPT, COUNT 9',
    cipher: 'aes-256-cbc',
    key: '48be597e632c16772324c8d3fa1d9c5a9ecd010f14ec5d110d3bfec376c5532b',
    iv: 'd6d581b8cf04ebd3b6eaa1b53f047ee1',
    plaintext:
      '0c63d413d3864570e70bb6618bf8a4b9585586688c32bba0a5ecc1362fada74ada32c52acfd1aa7444ba567b4e7daaec' +
      'f7cc1cb29182af164ae5232b002868695635599807a9a7f07a1f137e97b1e1c9dabc89b6a5e4afa9db5855edaa575056' +
      'a8f4f8242216242bb0c256310d9d329826ac353d715fa39f80cec144d6424558f9f70b98c920096e0f2c855d594885a0' +
      '0625880e9dfb734163cecef72cf030b8',
    ciphertext:
      'fc5873e50de8faf4c6b84ba707b0854e9db9ab2e9f7d707fbba338c6843a18fc6facebaf663d26296fb329b4d26f1849' +
      '4c79e09e779647f9bafa87489630d79f4301610c2300c19dbf3148b7cac8c4f4944102754f332e92b6f7c5e75bc6179e' +
      'b877a078d4719009021744c14f13fd2a55a2b9c44d18000685a845a4f632c7c56a77306efa66a24d05d088dcd7c13fe2' +
      '4fc447275965db9e4d37fbc9304448cd',
  },
  {
    source: 'NIST CAVS 11.1 TCBCMMT3, ENCRYPT, COUNT 0',
    cipher: 'des-ede3-cbc',
    key: 'b5cb1504802326c73df186e3e352a20de643b0d63ee30e37',
    iv: '43f791134c5647ba',
    plaintext: 'dcc153cef81d6f24',
    ciphertext: '92538bd8af18d3ba',
  },
  {
    source: 'NIST CAVS 11.1 TCBCMMT3, ENCRYPT, COUNT 1',
    cipher: 'des-ede3-cbc',
    key: 'a49d7564199e97cb529d2c9d97bf2f98d35edf57ba1f7358',
    iv: 'c2e999cb6249023c',
    plaintext: 'c689aee38a301bb316da75db36f110b5',
    ciphertext: 'e9afaba5ec75ea1bbe65506655bb4ecb',
  },
  {
    source: 'NIST CAVS 11.1 TCBCMMT3, ENCRYPT, COUNT 4',
    cipher: 'des-ede3-cbc',
    key: 'ef6d3e54266d978ffb0b8ce6689d803e2cd34cc802fd0252',
    iv: '38bae5bce06d0ad9',
    plaintext: 'c4f228b537223cd01c0debb5d9d4e12ba71656618d119b2f8f0af29d23efa3a9e43c4c458a1b79a0',
    ciphertext: '9e3289fb18379f55aa4e45a7e0e6df160b33b75f8627ad0954f8fdcb78cee55a4664caeda1000fe5',
  },
  {
    source: 'NIST CAVS 11.1 TCBCMMT3, ENCRYPT, COUNT 9',
    cipher: 'des-ede3-cbc',
    key: '9b162a0df8ad9b61c88676e3d586434570b902f12a2046e0',
    iv: 'ebd6fefe029ad54b',
    plaintext:
      'f4c1c918e77355c8156f0fd778da52bff121ae5f2f44eaf4d2754946d0e10d1f18ce3a0176e69c18b7d20b6e0d0bee5e' +
      'b5edfe4bd60e4d92adcd86bce72e76f94ee5cbcaa8b01cfddcea2ade575e66ac',
    ciphertext:
      '1ff3c8709f403a8eff291aedf50c010df5c5ff64a8b205f1fce68564798897a390db16ee0d053856b75898009731da29' +
      '0fcc119dad987277aacef694872e880c4bb41471063fae05c89f25e4bd0cad6a',
  },
];
