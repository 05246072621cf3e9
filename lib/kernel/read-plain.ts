import { EAGAIN, type KernelPort, kernel, systemError } from './port.js';
import type { ReaderHost } from './reader.js';

/**
 * Reads bytes of records as they are, before the kernel has the key, and hands them on. Exactly as many as the record lacks whose
 * beginning is here already: what is behind it is the kernel's.
 *
 * @param most bytes
 * @param onEnd the peer has sent FIN
 * @returns false: nothing is there for now
 */
export function readPlain(port: KernelPort, host: ReaderHost, most: number, onEnd: () => void): boolean {
  const bytes = Buffer.allocUnsafe(most);
  const result = kernel().receivePlain(port.fd, bytes);
  if (result === EAGAIN) return false;
  if (result < 0) host.onError(systemError(result, 'read'));
  else if (result === 0) onEnd();
  else {
    host.touch();
    if (!host.onBytes(bytes, result)) host.stopReading();
  }
  return true;
}
