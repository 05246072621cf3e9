import { SocketCipher } from './directions.js';
import type { Protocol } from './ssh2.js';

const MSG_CHANNEL_WINDOW_ADJUST = 93;
const MSG_CHANNEL_DATA = 94;
const NOTHING = Buffer.alloc(0);

// Message number, recipient channel, length of the data (RFC 4254 5.2).
const head = Buffer.alloc(9);
head[0] = MSG_CHANNEL_DATA;

/**
 * Nearly all bytes are channel data. ssh2 copies them into a packet first; here they are sealed from where they are, into what goes to the
 * kernel. All else stays as it is: text, what waits for a key exchange or is compressed, and ciphers of ssh2's own.
 */
export function channelDataInParts(protocol: Protocol): void {
  const { channelData } = protocol;
  Object.defineProperty(protocol, 'channelData', {
    value(this: Protocol, channel: number, data: Buffer | string): void {
      const { _cipher: cipher } = this;
      if (cipher instanceof SocketCipher && Buffer.isBuffer(data) && goesAsItIs(this)) {
        head.writeUInt32BE(channel, 1);
        head.writeUInt32BE(data.length, 5);
        if (cipher.encryptParts(head, data)) {
          this._debug?.(`Outbound: Sending CHANNEL_DATA (r:${channel}, ${data.length})`);
          return;
        }
      }
      channelData.call(this, channel, data);
    },
    writable: true,
    configurable: true,
  });
}

// Message number, recipient channel, bytes to add.
const adjust = Buffer.alloc(9);
adjust[0] = MSG_CHANNEL_WINDOW_ADJUST;

/** What goes out while much comes in, a message for each megabyte: it leaves at once, by the shortest way. */
export function windowAdjustAlone(protocol: Protocol): void {
  const { channelWindowAdjust } = protocol;
  Object.defineProperty(protocol, 'channelWindowAdjust', {
    value(this: Protocol, channel: number, amount: number): void {
      const { _cipher: cipher } = this;
      if (cipher instanceof SocketCipher && goesAsItIs(this)) {
        adjust.writeUInt32BE(channel, 1);
        adjust.writeUInt32BE(amount, 5);
        if (cipher.encryptParts(adjust, NOTHING, true)) {
          this._debug?.(`Outbound: Sending CHANNEL_WINDOW_ADJUST (r:${channel}, ${amount})`);
          return;
        }
      }
      channelWindowAdjust.call(this, channel, amount);
    },
    writable: true,
    configurable: true,
  });
}

/** It does not wait for a key exchange, and is not compressed. */
function goesAsItIs({ _kexinit, _packetRW }: Protocol): boolean {
  return _kexinit === undefined && _packetRW.write.allocStart > 0;
}
