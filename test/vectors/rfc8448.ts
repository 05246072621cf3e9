import type { Flight } from './flight.js';

/**
 * RFC 8448 (Example Handshake Traces for TLS 1.3), sections 3 and 4: all that goes under application traffic
 * keys, from sequence number 0 on, and the early data of section 4.
 */
export const rfc8448Flights = {
  simpleClient: {
    source: 'RFC 8448, section 3, {client} application traffic',
    protocol: 'tls1.3',
    cipher: 'aes-128-gcm',
    key: '17422dda596ed5d9acd890e3c63f5051',
    iv: '5b78923dee08579033e523d9',
    secret: '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5',
    sequence: 0,
    records: [
      {
        type: 23,
        record:
          '1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b' +
          '62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4',
        plaintext:
          '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f' +
          '3031',
      },
      {
        type: 21,
        record: '1703030013c9872760655666b74d7ff1153efd6db6d0b0e3',
        plaintext: '0100',
      },
    ],
  },
  simpleServer: {
    source: 'RFC 8448, section 3, {server} application traffic',
    protocol: 'tls1.3',
    cipher: 'aes-128-gcm',
    key: '9f02283b6c9c07efc26bb9f2ac92e356',
    iv: 'cf782b88dd83549aadf1e984',
    secret: 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643',
    sequence: 0,
    records: [
      {
        type: 22,
        record:
          '17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a' +
          '015940252f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e0' +
          '9c30ba1e62972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77' +
          'f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74' +
          'bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f',
        plaintext:
          '040000c90000001efad6aac502000000b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf' +
          '1b0070ad3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d2827' +
          'db279cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f92f228' +
          'bda40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e93343694093934a' +
          'e4d3570008002a000400000400',
      },
      {
        type: 23,
        record:
          '17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8' +
          'fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d',
        plaintext:
          '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f' +
          '3031',
      },
      {
        type: 21,
        record: '1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9',
        plaintext: '0100',
      },
    ],
  },
  earlyClient: {
    source: 'RFC 8448, section 4, {client} early traffic',
    protocol: 'tls1.3',
    cipher: 'aes-128-gcm',
    key: '920205a5b7bf2115e6fc5c2942834f54',
    iv: '6d475f0993c8e564610db2b9',
    secret: '3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62',
    sequence: 0,
    records: [
      {
        type: 23,
        record: '1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0',
        plaintext: '414243444546',
      },
    ],
  },
  resumedClient: {
    source: 'RFC 8448, section 4, {client} application traffic',
    protocol: 'tls1.3',
    cipher: 'aes-128-gcm',
    key: '3cf122f301c6358ca7989553250efd72',
    iv: 'ab1aec26aa78b8fc1176b9ac',
    secret: '2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1',
    sequence: 0,
    records: [
      {
        type: 23,
        record:
          '1703030043b1cebce242aa201be9ae5e1cb2a9aa4b33d4e866af1edb068919237741aa031d7a74d491c99b9d4e232b74' +
          '206bc6fbaa04fe78be44a9b4f54320a17eb76992afac3103',
        plaintext:
          '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f' +
          '3031',
      },
      {
        type: 21,
        record: '17030300130facce3246bdfc6369838d6a82ae6de5d422dc',
        plaintext: '0100',
      },
    ],
  },
  resumedServer: {
    source: 'RFC 8448, section 4, {server} application traffic',
    protocol: 'tls1.3',
    cipher: 'aes-128-gcm',
    key: 'e857c690a34c5a9129d833619684f95e',
    iv: '0685d6b561aab9ef1013faf9',
    secret: 'cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691',
    sequence: 0,
    records: [
      {
        type: 23,
        record:
          '1703030043275e9f20acff57bc000657d3867df039cccf79047884cf75771746f740b5a83f462a0954c3581393a203a2' +
          '5a7dd14141ef1a37900cdb62ff62dee1ba39ab2590cbf194',
        plaintext:
          '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f' +
          '3031',
      },
      {
        type: 21,
        record: '17030300135b18af444e8e1eec7158fb62d8f2577d37ba5d',
        plaintext: '0100',
      },
    ],
  },
} as const satisfies Record<string, Flight>;
