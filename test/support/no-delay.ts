/** What TCP_NODELAY is set to, while `run` runs, on any connection of this thread. `server`: a net.Server that listens. */
export async function watchNoDelay(
  server: object,
  run: (calls: readonly boolean[]) => Promise<void>,
): Promise<void> {
  const { _handle: handle } = server as { _handle: object };
  const prototype = Object.getPrototypeOf(handle) as { setNoDelay(on: boolean): number };
  const { setNoDelay } = prototype;
  const calls: boolean[] = [];
  prototype.setNoDelay = function (this: object, on: boolean) {
    calls.push(on);
    return setNoDelay.call(this, on);
  };
  try {
    await run(calls);
  } finally {
    prototype.setNoDelay = setNoDelay;
  }
}
