// Node's classes are functions: they can be called without `new`, and constructors of the old kind call them on their own `this`
// (`net.Socket.call(this, options)` after `util.inherits`). Ours are classes, made to allow the same.

type Class = new (...args: never[]) => object;

/** A class that can be called without `new`. */
export type Callable<T extends Class> = T & ((...args: ConstructorParameters<T>) => InstanceType<T>);

/** The object that a constructor of the old kind has made, on its way to the base class. */
let adopted: object | undefined;

/** A class of Node's, to be extended by a class that {@link callable} makes callable. */
export function callableBase<T extends Class>(Base: T): T {
  function Callable(this: unknown, ...args: unknown[]): object {
    if (adopted === undefined) return Reflect.construct(Base, args, new.target as never);
    const self = adopted;
    adopted = undefined;
    Reflect.apply(Base as unknown as () => void, self, args);
    return self;
  }
  Callable.prototype = Base.prototype;
  Object.setPrototypeOf(Callable, Base);
  return Callable as unknown as T;
}

/**
 * A class as a function that can do without `new`. Somewhere at its bottom must be a {@link callableBase}, which makes the class's
 * fields and code work on an object that is there already. Instances of Node's class count as instances: a program that was written for
 * Node's means them, too, and some are made by Node.
 */
export function callable<T extends Class>(Class: T, Nodes: Class): Callable<T> {
  function Anew(this: unknown, ...args: unknown[]): object {
    if (new.target !== undefined) return Reflect.construct(Class, args, new.target);
    if (!(this instanceof Class)) return Reflect.construct(Class, args, Anew);
    adopted = this;
    try {
      return Reflect.construct(Class, args, this.constructor);
    } finally {
      adopted = undefined;
    }
  }
  Object.defineProperty(Anew, 'name', { value: Class.name, configurable: true });
  Anew.prototype = Class.prototype;
  Object.defineProperty(Class.prototype, 'constructor', {
    value: Anew,
    writable: true,
    configurable: true,
  });
  Object.defineProperty(Anew, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      return Function.prototype[Symbol.hasInstance].call(this === Anew ? Nodes : this, value);
    },
  });
  // Static members, own and inherited.
  Object.setPrototypeOf(Anew, Class);
  return Anew as unknown as Callable<T>;
}
