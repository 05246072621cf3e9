import tls from 'node:tls';

type Options = tls.SecureContextOptions;

const optionsOf = new WeakMap<object, Options>();

/** tls.createSecureContext, whose contexts can also be made again in another thread (the option `handshakeWorkers`). */
export function createSecureContext(options?: Options): tls.SecureContext {
  const context = tls.createSecureContext(options);
  optionsOf.set(context, options ?? {});
  return context;
}

/** What a context was made with; undefined: node:tls has made it. */
export function optionsOfContext(context: object): Options | undefined {
  return optionsOf.get(context);
}
