import type { Handshake } from './handshake/handshake.js';

/** A server as handshakes see it. */
export interface Server {
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
}

/** The server as one connection's handshake sees it: while the application is asked for something, OpenSSL is not fed. */
export function viewOf<S extends object>(server: S, handshake: Handshake): S {
  const asked = server as unknown as Server;
  return Object.create(server, {
    emit: {
      value: (event: string, ...args: unknown[]): boolean =>
        event === 'newSession' || event === 'resumeSession'
          ? ask(asked, event, args, handshake)
          : asked.emit(event, ...args),
    },
  });
}

/** Asks the application by an event whose last argument is the function to answer by; until then OpenSSL must not be fed. */
export function ask(server: Server, event: string, args: unknown[], handshake: Handshake): boolean {
  if (server.listenerCount(event) === 0) return false;
  const go = handshake.hold();
  let answered = false;
  const answer = args.at(-1) as (...values: unknown[]) => void;
  const wrapped = (...values: unknown[]): void => {
    answer(...values);
    if (!answered) go();
    answered = true;
  };
  return server.emit(event, ...args.slice(0, -1), wrapped);
}
