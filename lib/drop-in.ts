/**
 * A module of Node's as an object, with our members in place of some. What programs set on Node's (`tls.DEFAULT_MAX_VERSION = …`) they
 * can set here, and Node's code, which looks there, sees it; and what Node computes when it is asked for is not computed before.
 */
export function drop<N extends object, O extends object>(node: N, ours: O): Omit<N, keyof O> & O {
  const api = {};
  for (const [name, { enumerable, writable, set }] of Object.entries(Object.getOwnPropertyDescriptors(node)))
    Object.defineProperty(api, name, {
      get: () => Reflect.get(node, name),
      ...((writable === true || set) && { set: (value) => Reflect.set(node, name, value) }),
      enumerable: enumerable === true,
      configurable: true,
    });
  for (const [name, value] of Object.entries(ours))
    Object.defineProperty(api, name, { value, writable: true, enumerable: true, configurable: true });
  return api as Omit<N, keyof O> & O;
}
