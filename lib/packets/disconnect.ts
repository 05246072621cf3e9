/** Reason codes of SSH_MSG_DISCONNECT that so-crypt sends (RFC 4253 11.1). */
export const Disconnect = { protocolError: 2, macError: 5, byApplication: 11 } as const;

/** Message numbers, RFC 4253 12. */
export const SSH_MSG_DISCONNECT = 1;

/** The payload of SSH_MSG_DISCONNECT. */
export function disconnectMessage(reason: number, description: string): Buffer {
  const text = Buffer.from(description);
  const message = Buffer.alloc(13 + text.length); // the language tag at its end is empty
  message[0] = SSH_MSG_DISCONNECT;
  message.writeUInt32BE(reason, 1);
  message.writeUInt32BE(text.length, 5);
  text.copy(message, 9);
  return message;
}
