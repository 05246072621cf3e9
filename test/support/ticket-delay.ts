import type { CipherName } from '../../lib/index.js';
import { trafficKeys } from './keylog.js';
import { contentType, type OpenedRecord } from './oracle-keys.js';
import type { Relay } from './proxy.js';
import { RecordOracle, wholeRecords } from './records.js';

/**
 * A relay from a TLS 1.3 server to its client that holds back the session tickets and sends them between later records of
 * application data, cut into pieces of `size` bytes. It knows the server's secret, and seals anew.
 *
 * @param secret SERVER_TRAFFIC_SECRET_0, once it is known
 * @param after how many records of application data go before each record of tickets
 */
export function delayTickets(
  cipher: CipherName,
  secret: () => Buffer | undefined,
  { after, size }: { after: number; size: number },
): Relay {
  const tickets: Buffer[] = [];
  let pending: Buffer = Buffer.alloc(0);
  let ends: { opener: RecordOracle; sealer: RecordOracle } | undefined;
  let count = 0;

  function open(record: Buffer): OpenedRecord | undefined {
    const known = secret();
    if (known === undefined) return undefined;
    const oracle = () => new RecordOracle({ protocol: 'tls1.3', cipher, ...trafficKeys(cipher, known) });
    if (ends !== undefined) return ends.opener.open(record);
    const opener = oracle();
    try {
      const opened = opener.open(record);
      ends = { opener, sealer: oracle() };
      return opened;
    } catch {
      return undefined; // still under the keys of the handshake
    }
  }

  function* forward(record: Buffer): Generator<Buffer> {
    const opened = open(record);
    if (opened === undefined) return yield record;
    if (opened.type === contentType.handshake) {
      for (let at = 0; at < opened.plaintext.length; at += size)
        tickets.push(opened.plaintext.subarray(at, at + size));
      return;
    }
    const { sealer } = ends!;
    yield sealer.seal(opened.type, opened.plaintext);
    if (++count % after !== 0) return;
    // The pieces of one message may not have other records between them (RFC 8446 5.1).
    for (let more = true; more && tickets.length > 0; ) {
      const piece = tickets.shift()!;
      more = piece.length === size;
      yield sealer.seal(contentType.handshake, piece);
    }
  }

  return function* (bytes) {
    pending = Buffer.concat([pending, bytes]);
    for (const record of wholeRecords(pending)) {
      pending = pending.subarray(record.length);
      yield* forward(record);
    }
  };
}
