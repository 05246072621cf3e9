import tls from 'node:tls';

type Options = tls.SecureContextOptions;

const optionsOf = new WeakMap<object, Options>();

// Before a program has put another in its place.
const { createSecureContext: nodes } = tls;

/** tls.createSecureContext, whose contexts can also be made again in another thread (the option `handshakeWorkers`). */
export function createSecureContext(options?: Options): tls.SecureContext {
  const context = nodes(options);
  optionsOf.set(context, options ?? {});
  return context;
}

/** Whether nobody has put another one in its place, which may return one context many times. */
export function isNodesCreateSecureContext(): boolean {
  return tls.createSecureContext === nodes;
}

/** What a context was made with; undefined: node:tls has made it. */
export function optionsOfContext(context: object): Options | undefined {
  return optionsOf.get(context);
}

/**
 * `createSecureContext` as a member of the module. Node's connect() and servers look for theirs on node:tls: what a program sets here
 * they shall find.
 */
export const createSecureContextMember: PropertyDescriptor = {
  get: () => (tls.createSecureContext === nodes ? createSecureContext : tls.createSecureContext),
  set: (value: typeof nodes) =>
    Reflect.set(tls, 'createSecureContext', value === createSecureContext ? nodes : value),
  enumerable: true,
  configurable: true,
};
