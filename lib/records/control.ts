import { Alert, AlertLevel, alertName } from '../alerts.js';
import { SoCryptError } from '../errors.js';
import { ContentType } from '../frame-layouts.js';
import type { Reader } from './direction.js';
import { type RecordStream, unexpected } from './record-stream.js';

/** HandshakeType (RFC 8446 4, RFC 5246 7.4). */
const HandshakeType = { helloRequest: 0, clientHello: 1, newSessionTicket: 4, keyUpdate: 24 } as const;

const HANDSHAKE_HEADER = 4;

// No handshake message after the handshake is larger; a ticket has at most 2^16 bytes and a few (RFC 8446 4.6.1).
const MAX_HANDSHAKE_MESSAGE = 131_072;

// Records in a row that only cost the receiver time. OpenSSL allows as many KeyUpdates.
const MAX_IDLE_RECORDS = 32;

/**
 * Acts on a record that is no application data.
 *
 * @throws SoCryptError with the alert to send
 */
export function onControlRecord(stream: RecordStream, type: number, content: Buffer): void {
  const reader = stream.reader!;
  if (reader.handshake !== undefined && type !== ContentType.handshake)
    throw unexpected('A record of another type came in the middle of a handshake message');
  if (type === ContentType.alert) onAlert(reader, content);
  else if (type === ContentType.handshake) onHandshake(stream, reader, content);
  else throw unexpected(`A record of type ${type} must not come now`);
}

function onAlert(reader: Reader, content: Buffer): void {
  if (content.length !== 2)
    throw new SoCryptError('ERR_SO_CRYPT_BAD_RECORD', 'An alert must have two bytes', {
      alert: Alert.decodeError,
    });
  const [level, description] = content as unknown as [number, number];
  if (description === Alert.closeNotify) {
    reader.closed = true;
    return;
  }
  // TLS 1.3: all are fatal but these two (RFC 8446 6); TLS 1.2: the level tells.
  const harmless =
    reader.protocol === 'tls1.3' ? description === Alert.userCanceled : level === AlertLevel.warning;
  if (!harmless)
    throw new SoCryptError(
      'ERR_SO_CRYPT_ALERT',
      `The peer closed with a fatal alert: ${alertName(description)}`,
      {
        alert: description,
      },
    );
  countIdle(reader);
}

function onHandshake(stream: RecordStream, reader: Reader, content: Buffer): void {
  if (content.length === 0) throw unexpected('An empty handshake record'); // RFC 8446 5.1
  let bytes = reader.handshake === undefined ? content : Buffer.concat([reader.handshake, content]);
  reader.handshake = undefined;
  while (bytes.length > 0) {
    const length = bytes.length < HANDSHAKE_HEADER ? 0 : HANDSHAKE_HEADER + bytes.readUIntBE(1, 3);
    if (length > MAX_HANDSHAKE_MESSAGE)
      throw new SoCryptError('ERR_SO_CRYPT_BAD_RECORD', 'A handshake message is too long', {
        alert: Alert.decodeError,
      });
    if (bytes.length < HANDSHAKE_HEADER || bytes.length < length) {
      reader.handshake = bytes;
      return;
    }
    const message = bytes.subarray(0, length);
    bytes = bytes.subarray(length);
    if (reader.protocol !== 'tls1.3') onRenegotiation(stream, reader, message);
    else if (message[0] === HandshakeType.keyUpdate) onKeyUpdate(stream, reader, message, bytes.length);
    else if (reader.onHandshakeMessage !== undefined) reader.onHandshakeMessage(message);
    else if (message[0] !== HandshakeType.newSessionTicket)
      throw unexpected(`A handshake message of type ${message[0]} must not come now`);
  }
}

function onKeyUpdate(stream: RecordStream, reader: Reader, message: Buffer, behind: number): void {
  const request = message[HANDSHAKE_HEADER];
  const isWhole = message.length === HANDSHAKE_HEADER + 1;
  if (!isWhole || (request !== 0 && request !== 1))
    throw new SoCryptError('ERR_SO_CRYPT_BAD_RECORD', 'A malformed KeyUpdate', {
      alert: isWhole ? Alert.illegalParameter : Alert.decodeError, // RFC 8446 4.6.3 and 6.2
    });
  if (behind > 0) throw unexpected('A KeyUpdate must end its record'); // RFC 8446 5.1
  if (!reader.keyUpdate())
    throw new SoCryptError(
      'ERR_SO_CRYPT_KEY_UPDATE',
      'The peer changed its key and the next one is not known here',
      {
        alert: Alert.internalError,
        hint: reader.updateHint,
      },
    );
  countIdle(reader);
  if (request === 0 || stream.writer === null) return;
  if (!stream.writer.canUpdate)
    throw new SoCryptError(
      'ERR_SO_CRYPT_KEY_UPDATE',
      'The peer asked for a new key and the next one is not known here',
      {
        alert: Alert.internalError,
        hint: stream.writer.updateHint,
      },
    );
  stream.replyKeyUpdate();
}

// TLS 1.2 and before: the SSL object is gone, so there is no renegotiation (RFC 5246 7.2.2).
function onRenegotiation(stream: RecordStream, reader: Reader, message: Buffer): void {
  if (message[0] !== HandshakeType.helloRequest && message[0] !== HandshakeType.clientHello)
    throw unexpected(`A handshake message of type ${message[0]} must not come now`);
  countIdle(reader);
  if (stream.writer !== null)
    stream.sendControl(ContentType.alert, Uint8Array.of(AlertLevel.warning, Alert.noRenegotiation));
}

function countIdle(reader: Reader): void {
  if (++reader.idle > MAX_IDLE_RECORDS) throw unexpected('Too many records without data');
}
