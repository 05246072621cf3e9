import { runBulk } from './bulk.js';
import { planBulk } from './bulk-plan.js';
import { runCipherSpeed } from './cipher-speed.js';
import { ciphers } from './ciphers.js';
import { type BenchDocument, schema } from './document.js';
import { engines } from './engines.js';
import { runHandshakes } from './handshakes.js';
import { runHttps } from './https.js';
import { loadUnavailable } from './https-load.js';
import { describeMachine, pacingOf } from './machine.js';
import { runMany } from './many.js';
import { runMemory } from './memory.js';
import { opensshUnavailable } from './openssh.js';
import type { BenchOptions } from './options.js';
import { Payload } from './payload.js';
import type { Progress } from './progress.js';
import { runSmall } from './small.js';
import { nativeSsh2, runSsh } from './ssh.js';
import { countingUnavailable } from './syscalls.js';
import { judge } from './targets.js';
import { runWorkerHandshakes } from './worker-handshakes.js';

/** All that the options ask for. `onPayload` gets the file as soon as it exists, for whoever has to remove it. */
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
  if (pacing !== undefined) notes.push(pacing);

  let rows: BenchDocument['rows'] = [];
  let cipherSpeed: BenchDocument['cipherSpeed'] = null;
  if (options.only.includes('bulk')) {
    const uncounted = countingUnavailable();
    if (uncounted !== null) notes.push(`system calls not counted: ${uncounted}`);
    const payload = new Payload(options.sizeMB * 1e6);
    onPayload(payload);
    rows = await runBulk(planBulk(options, usable), payload, options, uncounted === null, progress);
    payload.remove();
    cipherSpeed = await runCipherSpeed(userland !== undefined, options.quick, progress);
  }
  const handshakes = options.only.includes('handshake')
    ? await runHandshakes(usable, options.quick, progress)
    : [];
  const workerHandshakes = options.only.includes('workers')
    ? await runWorkerHandshakes(usable, options, progress)
    : [];
  // Many connections are also many idle ones.
  const isMemoryAsked = options.only.includes('memory') || options.only.includes('many');
  const memory = isMemoryAsked ? await runMemory(usable, options.quick, progress) : [];
  const names = options.ciphers ?? ciphers.map(({ name }) => name);
  const small =
    options.only.includes('small') && userland
      ? await runSmall(userland.name, names, options.quick, progress)
      : [];
  let ssh: BenchDocument['ssh'] = [];
  if (options.only.includes('ssh')) {
    const unavailable = opensshUnavailable();
    notes.push(unavailable === null ? nativeSsh2() : `no SSH: ${unavailable}`);
    if (unavailable === null) ssh = await runSsh(usable, options, progress);
  }

  let https: BenchDocument['https'] = [];
  if (options.only.includes('https') && userland) {
    const missing = loadUnavailable();
    if (missing === null) https = await runHttps(['node', userland.name], options.quick, progress);
    else notes.push(`https not measured: ${missing}`);
  }

  const many = options.only.includes('many') ? await runMany(usable, memory, options.quick, progress) : [];

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
    targets: judge({ rows, cipherSpeed, handshakes, memory, https, many }),
    seconds: Math.round((Date.now() - start) / 1000),
  };
}
