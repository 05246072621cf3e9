import { runBulk } from './bulk.js';
import { planBulk } from './bulk-plan.js';
import { killChildren } from './child.js';
import { runCipherSpeed } from './cipher-speed.js';
import { ciphers } from './ciphers.js';
import { type BenchDocument, schema } from './document.js';
import { engines } from './engines.js';
import { messageOf } from './error-message.js';
import { runHandshakes } from './handshakes.js';
import { runHttps } from './https.js';
import { loadUnavailable } from './https-load.js';
import { describeMachine, pacingOf } from './machine.js';
import { runMany } from './many.js';
import { runMemory } from './memory.js';
import { opensshUnavailable } from './openssh.js';
import type { BenchOptions, Section } from './options.js';
import { Payload } from './payload.js';
import type { Progress } from './progress.js';
import { runSmall } from './small.js';
import { nativeSsh2, runSsh } from './ssh.js';
import { countingUnavailable } from './syscalls.js';
import { judge } from './targets.js';
import { runWorkerHandshakes } from './worker-handshakes.js';

/**
 * All that the options ask for; a section that fails takes none of the others with it. `onPayload` gets the file as soon as it exists, for
 * whoever has to remove it.
 */
export async function runBench(
  options: BenchOptions,
  progress: Progress,
  onPayload: (payload: Payload) => void,
): Promise<BenchDocument> {
  const start = Date.now();
  const machine = await describeMachine();
  const wanted = engines.filter(({ name }) => options.engines?.includes(name) ?? true);
  const checked = await Promise.all(
    wanted.map(async (engine) => ({ engine, unavailable: await engine.available() })),
  );
  const usable = checked.filter(({ unavailable }) => unavailable === null).map(({ engine }) => engine);
  // The engine whose record layer can be called without a socket.
  const userland = usable.find(({ name }) => name === 'evp');
  const notes: string[] = [];
  const pacing = pacingOf(machine);
  if (pacing !== null) notes.push(pacing);

  const failures: string[] = [];
  const measure = async <T>(section: Section, none: T, run: () => Promise<T>): Promise<T> => {
    if (!options.only.includes(section)) return none;
    try {
      return await run();
    } catch (error) {
      killChildren();
      failures.push(`${section}: ${messageOf(error)}`);
      return none;
    }
  };

  const rows = await measure('bulk', [], async () => {
    const uncounted = countingUnavailable();
    if (uncounted !== null) notes.push(`system calls not counted: ${uncounted}`);
    const payload = new Payload(options.sizeMB * 1e6);
    onPayload(payload);
    try {
      return await runBulk(planBulk(options, usable), payload, options, uncounted === null, progress);
    } finally {
      payload.remove();
    }
  });
  const cipherSpeed = await measure('bulk', null, () =>
    runCipherSpeed(userland !== undefined, options.quick, progress),
  );
  const handshakes = await measure('handshake', [], () => runHandshakes(usable, options.quick, progress));
  const workerHandshakes = await measure('workers', [], () => runWorkerHandshakes(usable, options, progress));
  // Many connections are also many idle ones.
  const idle = options.only.includes('memory') ? 'memory' : 'many';
  const memory = await measure(idle, [], () => runMemory(usable, options.quick, progress));
  const names = options.ciphers ?? ciphers.map(({ name }) => name);
  const small = await measure('small', [], async () =>
    userland ? runSmall(userland.name, names, options.quick, progress) : [],
  );
  const ssh = await measure('ssh', [], async () => {
    const unavailable = opensshUnavailable();
    notes.push(unavailable === null ? nativeSsh2() : `no SSH: ${unavailable}`);
    return unavailable === null ? runSsh(usable, options, progress, (message) => failures.push(message)) : [];
  });
  const https = await measure('https', [], async () => {
    const missing = loadUnavailable();
    if (missing !== null) notes.push(`https not measured: ${missing}`);
    return missing === null && userland ? runHttps(['node', userland.name], options.quick, progress) : [];
  });
  const many = await measure('many', [], () => runMany(usable, memory, options.quick, progress));

  return {
    schema,
    machine,
    options,
    engines: checked.map(({ engine, unavailable }) => ({ name: engine.name, unavailable })),
    notes,
    rows,
    cipherSpeed,
    handshakes,
    workerHandshakes,
    memory,
    small,
    ssh,
    https,
    many,
    failures,
    targets: judge({ rows, cipherSpeed, handshakes, memory, https, many }),
    seconds: Math.round((Date.now() - start) / 1000),
  };
}
