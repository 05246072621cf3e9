import { getSystemErrorName } from 'node:util';
import { Alert } from './alerts.js';
import { SoCryptError } from './errors.js';
import { native } from './native.js';

/** The system call of a provider that failed. */
export interface ProviderFailure {
  /** Its name, or what it was about; `verify`: a result was wrong. */
  call: string;
  /** errno, 0 where there is none. */
  error: number;
}

/** The last failure of this thread's providers since it was asked for. */
export function takeFailure(): ProviderFailure | undefined {
  const failure = native.failure();
  return failure && { call: failure[0], error: failure[1] };
}

/** The error for a record that a provider could not do. */
export function providerFailed(disconnectReason?: number): SoCryptError {
  const failure = takeFailure();
  const code = failure === undefined ? '' : getSystemErrorName(-failure.error);
  return new SoCryptError(
    'ERR_SO_CRYPT_PROVIDER',
    failure === undefined ? 'The cipher failed' : `The cipher failed: ${failure.call}: ${code}`,
    {
      alert: Alert.internalError,
      ...(disconnectReason !== undefined && { disconnectReason }),
      hint:
        code === 'EMFILE' || code === 'ENFILE'
          ? 'Raise the limit of open files (ulimit -n, fs.file-max)'
          : 'Memory may be short, or the cipher is restricted by configuration',
    },
  );
}
