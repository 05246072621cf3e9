import { SoCryptError, type SoCryptErrorCode } from '../errors.js';

/** An error on its way between threads: cloning it would lose `code` and all else that was added. */
export interface PlainError {
  name: string;
  message: string;
  stack: string | undefined;
  properties: Record<string, unknown>;
}

export function plainError(thrown: unknown): PlainError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(error))
    if (['string', 'number', 'boolean'].includes(typeof value) || isStrings(value)) properties[name] = value;
  // Not enumerable in all of Node's errors.
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) properties.code = code;
  return { name: error.name, message: error.message, stack: error.stack, properties };
}

const classes: Record<string, new (message: string) => Error> = { TypeError, RangeError, SyntaxError };

export function errorOf({ name, message, stack, properties }: PlainError): Error {
  const { code, hint } = properties as { code?: string; hint?: string };
  const error = code?.startsWith('ERR_SO_CRYPT_')
    ? new SoCryptError(
        code as SoCryptErrorCode,
        hint === undefined ? message : message.slice(0, -hint.length - 2),
        hint === undefined ? {} : { hint },
      )
    : new (classes[name] ?? Error)(message);
  Object.assign(error, properties);
  if (stack !== undefined) error.stack = stack;
  return error;
}

const isStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
