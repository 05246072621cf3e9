// Node's classes are functions: they can be called without `new`, and constructors of the old kind call them on their own `this`
// (`net.Socket.call(this, options)` after `util.inherits`). Ours are classes, made to allow the same.
//
// Whatever stands between `new` and Node's function must not make an object of its own: V8 keeps one hidden class for each constructor
// that is given as new.target, and makes a new one for every object when two functions take turns. So here are a derived class and a
// Proxy, and no functions.

type Class = new (...args: never[]) => object;

/** A class that can be called without `new`. */
export type Callable<T extends Class> = T & ((...args: ConstructorParameters<T>) => InstanceType<T>);

/** The object that a constructor of the old kind has made, on its way to the base class. */
let adopted: object | undefined;

/** A class of Node's, to be extended by a class that {@link callable} makes callable. */
export function callableBase<T extends Class>(Base: T): T {
  const Nodes = Base as unknown as new (...args: unknown[]) => object;
  class Callable extends Nodes {
    // biome-ignore lint/correctness/noUnreachableSuper: without super() only where it returns another object
    constructor(...args: unknown[]) {
      if (adopted !== undefined) {
        const self = adopted;
        adopted = undefined;
        Reflect.apply(Nodes as unknown as () => void, self, args);
        // biome-ignore lint/correctness/noConstructorReturn: in place of the object that super() would make
        return self;
      }
      super(...args);
    }
  }
  return Callable as unknown as T;
}

/**
 * A class as a function that can do without `new`. Somewhere at its bottom must be a {@link callableBase}, which makes the class's
 * fields and code work on an object that is there already. Instances of Node's class count as instances: a program that was written for
 * Node's means them, too, and some are made by Node.
 */
export function callable<T extends Class>(Class: T, Nodes: Class): Callable<T> {
  const isInstance = function (this: unknown, value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this === proxy ? Nodes : this, value);
  };
  const proxy: T = new Proxy(Class, {
    apply(target, self, args): object | undefined {
      if (!(self instanceof target)) return Reflect.construct(target, args);
      adopted = self;
      try {
        return Reflect.construct(target, args, self.constructor);
      } finally {
        adopted = undefined;
      }
    },
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args, newTarget === proxy ? target : newTarget),
    get: (target, name, receiver) =>
      name === Symbol.hasInstance ? isInstance : Reflect.get(target, name, receiver),
  });
  Object.defineProperty(Class.prototype, 'constructor', { value: proxy, writable: true, configurable: true });
  return proxy as Callable<T>;
}
