import type { Flight } from './flight.js';

/**
 * Whole TLS 1.0 to 1.3 records that others have published, with their keys. The traces of Go (BSD licence)
 * were recorded with a random source of zeros and known certificates, so that the keys follow from the
 * handshake; the keys of the Illustrated TLS 1.2 Connection are printed there.
 */
export const tlsFlights: readonly Flight[] = [
  {
    source: 'The Illustrated TLS 1.2 Connection (tls12.xargs.org), client Finished',
    protocol: 'tls1.2',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: 'f656d037b173ef3e11169f27231a84b6',
    macKey: '1b7d117c7d5f690bc263cae8ef60af0f1878acc2',
    sequence: 0,
    records: [
      {
        type: 22,
        record:
          '1603030040404142434445464748494a4b4c4d4e4f227bc9ba81ef30f2a8a78ff1df50844d5804b7eeb2e214c32b6892' +
          'aca3db7b78077fdd90067c516bacb3ba90dedf720f',
        plaintext: '1400000ccf919626f1360c536aaad73a',
      },
    ],
  },
  {
    source: 'The Illustrated TLS 1.2 Connection (tls12.xargs.org), client application data',
    protocol: 'tls1.2',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: 'f656d037b173ef3e11169f27231a84b6',
    macKey: '1b7d117c7d5f690bc263cae8ef60af0f1878acc2',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '1703030030000102030405060708090a0b0c0d0e0f6c421c71c42b183bfa06195d133d0a09d00fc7cb4e0f5d1cda59d1' +
          '47ec790c99',
        plaintext: '70696e67',
      },
    ],
  },
  {
    source: 'The Illustrated TLS 1.2 Connection (tls12.xargs.org), server application data',
    protocol: 'tls1.2',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: '752a18e7a9fcb7cbcdd8f98dd8f769eb',
    macKey: '2ad8bdd8c601a617126f63540eb20906f781fad2',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '17030300306162636465666768696a6b6c6d6e6f709783488af5fa20bf7a2ef69debb534db9fb07a8c2721dee5409f77' +
          'af0c3dde56',
        plaintext: '706f6e67',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Server-TLSv10-RSA-3DES, server',
    protocol: 'tls1.0',
    cipher: 'des-ede3-cbc',
    mac: 'hmac-sha1',
    key: '8e9176768566cc61e7ae9bcce4487f6756ac6f65921dc3c4',
    iv: '2de4b91ee62842a1',
    macKey: '3df6eaa12c75f2af506fbd8d1d715d4980d53f43',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '1703010018d87c20f2036da9edc97350d7564f0bd84b44f680e4c1a9f5',
        plaintext: '68',
      },
      {
        type: 23,
        record: '1703010028f5b2116ba64b2230423ccc070ded10d0c77becb3600b2b3cfbec3ac0be44e776b69edb173692df88',
        plaintext: '656c6c6f2c20776f726c640a',
      },
      {
        type: 21,
        record: '15030100187ad92f462e0fecc5ee7befbdfbe526400aa24eeb560eca03',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv10-ECDHE-RSA-AES, client',
    protocol: 'tls1.0',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: 'ecd8613b894f33e9ced6f2d8d4d7d854',
    iv: '9e1372d1d20c24014f35aa27fcb3cc08',
    macKey: '7726207de48346656318fd3c843b2bf584c59bab',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '1703010020bab0c422ee5281ca55974d3916b937bfdf7bd1ae4b47ac1012a9776950f36013',
        plaintext: '68',
      },
      {
        type: 23,
        record: '170301002090d517e49638cdf7306e19454e32ad5f1b00bf229dc21630fe92c7fc91382930',
        plaintext: '656c6c6f0a',
      },
      {
        type: 21,
        record: '1503010020c002ff8182c925c6b006ee186119c8d220d84e7ba4a55717644dad1e1e161e52',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Server-TLSv10-RSA-AES, server',
    protocol: 'tls1.0',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: '36f42c855c48d0dd897076d32c253cea',
    iv: '1cc22ffa29ddf3bcff35287f86b80f33',
    macKey: 'c28765a8224c9791ff6300c08fca4d7d32b2c483',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '17030100203a6c4723375a15bd03c664c5592f91e8a61bd504c2a7800e946c3ce4702cea81',
        plaintext: '68',
      },
      {
        type: 23,
        record:
          '17030100306014bc6b84169f53b6eec943cff3469745e12f869626ccefea097236924e9e2a8ea2d79acd5f38a807c454' +
          'a14d6e7a36',
        plaintext: '656c6c6f2c20776f726c640a',
      },
      {
        type: 21,
        record: '15030100201ec2dfa33e8e15c4c0908f7c5ae068d7ea86768dd127c1d93255f9cef592e651',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv11-ECDHE-RSA-AES, client',
    protocol: 'tls1.1',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha1',
    key: '26b6fb2dcc8273a8b469ce91ea6a53f3',
    macKey: '4798d8f9a942d2b0f8c789d4190096216328db5f',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '17030200300000000000000000000000000000000067efdedfa4916958b83f06c4054ead889bc51235cf63393a61e94c' +
          '492293f410',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record:
          '150302003000000000000000000000000000000000002a5aba397ea8be2e72f3ba7e0a32b58cd8f51b936c3e35d8bacc' +
          'f39ff41974',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv12-AES128-SHA256, client',
    protocol: 'tls1.2',
    cipher: 'aes-128-cbc',
    mac: 'hmac-sha256',
    key: '7577895fdc9688a5172a87cae82d089c',
    macKey: '1b31a7a21badb325f0534d62d370e1121fbf033a457d830ab403bf6e8bd918c0',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '170303004000000000000000000000000000000000a2dda6ff576080dd97cf2010046080531737cece39b621f40661aa' +
          '497bf0d5e0724c6f38d2abaf1c94bd5b1bee8a9be3',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record:
          '150303004000000000000000000000000000000000ba1832e76df5fa2e6155ccfe3c4d19fd846dc42a4692aeb7f367c8' +
          '3ccecdb066deee5d3f073ba985a1931f98f795c9ac',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Server-TLSv12-RSA-3DES, server',
    protocol: 'tls1.2',
    cipher: 'des-ede3-cbc',
    mac: 'hmac-sha1',
    key: '7f09c190b66ecb44d87aab2b475db83113338b2c78be07b0',
    macKey: '8de352cf28642294ee29c7b41589c057a4b99c26',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '17030300300000000000000000bedb1d03aa155349a3570024753ab14871ecd97de1405cdcfdf5336f6bc73e9e2e05af' +
          '1b1273758c',
        plaintext: '68656c6c6f2c20776f726c640a',
      },
      {
        type: 21,
        record: '150303002000000000000000005c3063235526ee8d819a2eb4e7386b04e7424350de1e402d',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Server-TLSv12-ECDHE-ECDSA-AES, server',
    protocol: 'tls1.2',
    cipher: 'aes-256-cbc',
    mac: 'hmac-sha1',
    key: '2bc94f6adde5302e34c6ce34602e9f565fec83480eb9b82799767c4b752b030e',
    macKey: '5d40b579c6ad38e955d1073c3a8ba4407ca2cec2',
    sequence: 1,
    records: [
      {
        type: 23,
        record:
          '170303004000000000000000000000000000000000446890071e8c7fdb3e3f8c28e1d74138e27804e342c2a976bb0aae' +
          'b993df81d79b0f1d441979ff7c218f75cae282ccc4',
        plaintext: '68656c6c6f2c20776f726c640a',
      },
      {
        type: 21,
        record:
          '150303003000000000000000000000000000000000821fe62c3fc75519010b621a99fcf8d3b0382141921ad1e04396da' +
          '804b5891c8',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv12-AES128-GCM-SHA256, client',
    protocol: 'tls1.2',
    cipher: 'aes-128-gcm',
    key: 'aec2ffacf0cb831a3b9d18348fa0872a',
    iv: '9f030919',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '170303001e00000000000000017dfe5373aaca3df327b701569ee7c96d792a97b22142',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record: '150303001a0000000000000002debd3e9e8fc098ecbdb49b8990a226a82897',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv12-AES256-GCM-SHA384, client',
    protocol: 'tls1.2',
    cipher: 'aes-256-gcm',
    key: '4c9eced47ccf65574bc4079e1be7f91939b24dca5cce0b638bca510ce05552b9',
    iv: 'f26b7e1f',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '170303001e00000000000000011c0d06d2258a06d9b4d676891cc6b7229f4463a3f989',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record: '150303001a0000000000000002cb34e84bf7b1ab1a74602c2dcfa47d9ff4b4',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv12-ECDHE-RSA-CHACHA20-POLY1305, client',
    protocol: 'tls1.2',
    cipher: 'chacha20-poly1305',
    key: 'e531a7edf240503f6232b8adbc7ab1b0a5b5812317b796a43bcdb9b09a766de5',
    iv: '7e65ec81360b1fdde140e114',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '1703030016436ae8f2caf94f3c6dff5ef319ebee961cd868c55386',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record: '1503030012c2724e3c3393faf32132bbfde3c4ef1a46df',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Server-TLSv12-RSA-AES-GCM, server',
    protocol: 'tls1.2',
    cipher: 'aes-128-gcm',
    key: 'b6389711ace612e025b2b916413b913f',
    iv: 'eb3958cf',
    sequence: 1,
    records: [
      {
        type: 23,
        record: '17030300250000000000000001a93562244b636e621c8f99e4e03ef0a2e302346f10719c6bb34a2d7f71',
        plaintext: '68656c6c6f2c20776f726c640a',
      },
      {
        type: 21,
        record: '150303001a000000000000000291430798b1ba061bdd21468263678bbb1fb5',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv13-AES256-SHA384, client',
    protocol: 'tls1.3',
    cipher: 'aes-256-gcm',
    key: 'f36e098e2df7265717e321eac10fbc978a6395d99161f1adb79d9957d075589d',
    iv: '29a4c33220ba483eceaf4286',
    secret:
      'dccdbf7da716dde6c628651db9486f93e48bda9e7f11ce313a2ee59eb1e98071ec62c39a63033214ac08b1210ba9e968',
    sequence: 0,
    records: [
      {
        type: 23,
        record: '17030300172151dd67e4bef87c7b840d783c7fac50f8347bfb3809d0',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record: '1703030013351a529dde4a741f0170de05c5c3b9e6de9c0f',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv13-CHACHA20-SHA256, client',
    protocol: 'tls1.3',
    cipher: 'chacha20-poly1305',
    key: '4265a47e7f0cc1a7a1fc64a29def0f5e391d40ae07819ac14020492ba8810442',
    iv: '0190721d05f3f9942f5692e1',
    secret: '38d1367dd208172a41101705770a77944990386507935dfae2f17eff18ffc0e3',
    sequence: 0,
    records: [
      {
        type: 23,
        record: '1703030017dcb8e21caab8f5cbb6fdba293473bbc6e03afc3efbd301',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 21,
        record: '1703030013eb66ab47381b01966c5946c2adbf2d36229719',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv13-KeyUpdate, client',
    protocol: 'tls1.3',
    cipher: 'chacha20-poly1305',
    key: 'b60c8bfdd84dda045bbc95a5524503029048ff7a4f8346695da92029936c63f9',
    iv: 'a4d044e97b8d1c36354e501c',
    secret: 'f878ef2a799d9d582fc124ddd834faa7fa6766ebe8d09ffacef0b5fa38b430e3',
    sequence: 0,
    records: [
      {
        type: 23,
        record: '1703030017115f883b450e4e8a2643a39e7710768ce1edd319f4275f',
        plaintext: '68656c6c6f0a',
      },
      {
        type: 22,
        record: '17030300160617fb4b33c706d5a940e8c70965b25c2d452fbf45a8',
        plaintext: '1800000100',
      },
      {
        type: 23,
        record: '170303001d1f74d0fbedfa5981217ef041c86e6b9fb61a86ad2eac9e3d3b66c94a87',
        plaintext: '68656c6c6f20616761696e0a',
      },
      {
        type: 21,
        record: '17030300137b76c485c141476d35988602d53be46b4c3e7a',
        plaintext: '0100',
      },
    ],
  },
  {
    source: 'golang/go 1.19 src/crypto/tls/testdata/Client-TLSv13-KeyUpdate, server',
    protocol: 'tls1.3',
    cipher: 'chacha20-poly1305',
    key: '60ae9728032a54760a6ee0ef2b5be336e396f1a643bfd2888c6f15bf60bfea7d',
    iv: '461ad27eab9d2e6dc749e71c',
    secret: 'de123fc6c0d018e568605b535539474c9ef28c9b36d3dfadaa394418ae950586',
    sequence: 0,
    records: [
      {
        type: 22,
        record: '17030300167d92676095bafaa05f03e92be653edfb6b4fb9e90910',
        plaintext: '1800000101',
      },
      {
        type: 23,
        record: '170303001a045ec0bbad6c2f65615c39a9e2c49e0e4c68d2a9978abf95393f',
        plaintext: '53454e54494e454c0a',
      },
    ],
  },
];
