import type { EventWait } from './event-wait.js';
import type { Machine } from './machine.js';
import type { BenchOptions } from './options.js';

// The JSON document of --json. It is a contract: a field may be added; one that is renamed, removed or changes its
// unit needs another schema name. 1 MB is 10^6 bytes and 1 GB is 10^9 bytes.
export const schema = 'so-crypt-bench/1';

/** One side of a bulk row. */
export interface SideCost {
  readonly userSecondsPerGB: number;
  readonly systemSecondsPerGB: number;
  /** null where they were not counted. */
  readonly syscallsPerMB: number | null;
}

/** One trial of a bulk row. */
export interface BulkSampleResult {
  readonly mbPerSecond: number;
  readonly sender: { readonly userSecondsPerGB: number; readonly systemSecondsPerGB: number };
  readonly receiver: { readonly userSecondsPerGB: number; readonly systemSecondsPerGB: number };
}

/** Medians of one engine, cipher and buffer size. */
export interface BulkResult {
  readonly trial: 'bulk';
  readonly engine: string;
  /** null for net. */
  readonly cipher: string | null;
  readonly protocol: string | null;
  /** Bytes of each write(). */
  readonly buffer: number;
  readonly mbPerSecond: number;
  readonly sender: SideCost;
  readonly receiver: SideCost;
  readonly ratioToNodeTls: number | null;
  readonly ratioToNet: number | null;
  readonly samples: readonly BulkSampleResult[];
}

/** OpenSSL's own speed in this run, the `aes` of the target 1/(1/net + 1/aes). */
export interface CipherSpeed {
  readonly cipher: string;
  /** The best of `ways`. */
  readonly mbPerSecond: number;
  readonly ways: readonly CipherWay[];
}

/** One way to have OpenSSL encrypt: none shows its speed without anything around it. */
export interface CipherWay {
  /** node:crypto: one cipher object; sealer: so-crypt's record layer, with a nonce and a tag per 16 KB. */
  readonly by: 'node:crypto' | 'sealer';
  /** Bytes of a call. */
  readonly bytes: number;
  readonly mbPerSecond: number;
}

export interface HandshakeResult {
  readonly engine: string;
  readonly kind: 'full' | 'resumed';
  readonly perSecond: number;
  /** CPU time of the server, which has one thread. Tells more than the rate where the clients are the bottleneck. */
  readonly serverCpuMs: number;
  /** The part of the handshakes that did resume a session. */
  readonly resumedShare: number;
  readonly rateToNodeTls: number | null;
  readonly cpuToNodeTls: number | null;
  readonly samples: readonly { readonly perSecond: number; readonly serverCpuMs: number }[];
}

/** A storm of handshakes: what it costs the thread that has the application, too. */
export interface WorkerHandshakeResult {
  readonly engine: string;
  /** Threads for handshakes; 0: the server has one for all. */
  readonly workers: number;
  /** At the same time: each opens the next connection when one is closed. */
  readonly clients: number;
  readonly certificate: 'p256' | 'rsa2048';
  readonly kind: 'full' | 'resumed';
  readonly perSecond: number;
  /** CPU time of a handshake in all of the server's threads, and in the main thread (null: not known). */
  readonly serverCpuMs: number;
  readonly mainCpuMs: number | null;
  /** perf_hooks.monitorEventLoopDelay of the main thread, 99th percentile. */
  readonly loopDelayP99Ms: number;
  /** How long an event waited in the main thread: half of them no longer, and 90 and 99 of 100. */
  readonly eventWaitMs: EventWait;
  readonly rateToNodeTls: number | null;
  readonly mainCpuToNodeTls: number | null;
  readonly loopDelayToNodeTls: number | null;
  /** The ratio of the 90th percentiles. */
  readonly eventWaitToNodeTls: number | null;
  /** The ratio of the 99th percentiles. */
  readonly eventWaitP99ToNodeTls: number | null;
}

/** What an idle connection costs a server's process; not what the kernel holds for it. 1 KB is 1024 bytes here, as in the target. */
export interface MemoryResult {
  readonly engine: string;
  readonly connections: number;
  /** Anonymous memory of the process but for V8's young generation: with all connections, less that before the first, for each of them. */
  readonly rssKBPerConnection: number;
  /** The same between the first two fifths of the connections and all of them: of each further one. */
  readonly furtherRssKBPerConnection: number;
  /** V8's heap and what it knows to hang on it (external memory). */
  readonly heapKBPerConnection: number;
  readonly samples: readonly MemorySample[];
}

/** One process of the server. */
export interface MemorySample {
  readonly rssKB: number;
  readonly furtherRssKB: number;
  readonly heapKB: number;
}

/** Many connections of one server. */
export interface ManyResult {
  readonly trial: 'many';
  readonly engine: string;
  readonly connections: number;
  /** Of an idle connection: those of the {@link MemoryResult} of the same engine. */
  readonly idleRssKB: number;
  readonly idleHeapKB: number;
  /** Connections that broke or brought wrong bytes while all of them were busy. */
  readonly errors: number;
  /** Of all connections together, both directions. */
  readonly mbPerSecond: number;
}

/** Responses of an https server. */
export interface HttpsResult {
  readonly trial: 'https';
  /** What was asked for. */
  readonly content: string;
  /** 'node', 'nginx', or the engine of so-crypt. */
  readonly way: string;
  readonly perSecond: number;
  /** CPU time of the server (all threads, user and system) for a response, microseconds. */
  readonly cpuUs: number;
  readonly rateToNode: number | null;
  readonly cpuToNode: number | null;
  readonly rateToNginx: number | null;
  readonly cpuToNginx: number | null;
  readonly samples: readonly { readonly perSecond: number; readonly cpuUs: number }[];
}

export interface SmallResult {
  readonly operation: string;
  readonly engine: string;
  readonly cipher: string | null;
  readonly bytes: number | null;
  readonly medianNs: number;
  readonly perSecond: number;
  readonly mbPerSecond: number | null;
}

/** A command's output and input, or a file, by SSH. */
export interface SshResult {
  readonly trial: 'ssh';
  readonly operation: 'exec receive' | 'exec send' | 'sftp get' | 'sftp put';
  /** The client: ssh2 (the package alone), openssh, or so-crypt's engine. */
  readonly by: string;
  /** The server: sshd, or of the same kind as the client. */
  readonly peer: 'sshd' | 'the same';
  readonly cipher: string;
  readonly mac: string | null;
  readonly mbPerSecond: number;
  readonly client: { readonly userSecondsPerGB: number; readonly systemSecondsPerGB: number };
  /** null where it is sshd. */
  readonly server: { readonly userSecondsPerGB: number; readonly systemSecondsPerGB: number } | null;
  readonly rateToSsh2: number | null;
  /** Of the client. */
  readonly cpuToSsh2: number | null;
  readonly samples: readonly { readonly mbPerSecond: number; readonly clientSecondsPerGB: number }[];
}

export interface Target {
  readonly name: string;
  readonly asked: string;
  /** null when the run did not measure it. */
  readonly measured: number | null;
  readonly met: boolean | null;
}

export interface BenchDocument {
  readonly schema: typeof schema;
  readonly machine: Machine;
  readonly options: BenchOptions;
  readonly engines: readonly { readonly name: string; readonly unavailable: string | null }[];
  /** What the reader should know, such as a tool that is missing. */
  readonly notes: readonly string[];
  /** Sections that have failed, each with the reason. */
  readonly failures: readonly string[];
  readonly rows: readonly BulkResult[];
  readonly cipherSpeed: CipherSpeed | null;
  readonly handshakes: readonly HandshakeResult[];
  readonly workerHandshakes: readonly WorkerHandshakeResult[];
  readonly memory: readonly MemoryResult[];
  readonly small: readonly SmallResult[];
  readonly ssh: readonly SshResult[];
  readonly https: readonly HttpsResult[];
  readonly many: readonly ManyResult[];
  readonly targets: readonly Target[];
  readonly seconds: number;
}
