import net from 'node:net';
import tls from 'node:tls';
import { Socket } from './socket.js';

/**
 * Makes our TLSSockets instances of Node's: programs, and Node's http2, ask `instanceof tls.TLSSocket`. So Node's class comes into the chain
 * of prototypes behind the members of Socket, but for what it puts in place of net.Socket's own.
 */
export function beInstancesOfNodes(prototype: object): void {
  const behind = Object.create(tls.TLSSocket.prototype, {
    ...netMembersThatNodeReplaces(),
    ...Object.getOwnPropertyDescriptors(Socket.prototype),
  });
  Object.setPrototypeOf(prototype, behind);
  Object.defineProperty(prototype, 'encrypted', {
    value: true,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

function netMembersThatNodeReplaces(): PropertyDescriptorMap {
  const replaced: PropertyDescriptorMap = {};
  for (const name of Reflect.ownKeys(tls.TLSSocket.prototype)) {
    const original = Object.getOwnPropertyDescriptor(net.Socket.prototype, name);
    if (original !== undefined) replaced[name as string] = original;
  }
  return replaced;
}
