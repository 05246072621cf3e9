import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type * as Ssh2 from 'ssh2';
import { Client, type ConnectConfig } from './client.js';

type Connected = (error: Error | null | undefined, stream?: Duplex) => void;

interface Wanted {
  host?: string;
  port?: number | string;
  localAddress?: string;
  localPort?: number;
}

/** ssh2's HTTPAgent: each connection is a channel of an SSH connection of its own, which is ours. */
export class HTTPAgent extends http.Agent {
  readonly #config: ConnectConfig;
  readonly #source: string;

  constructor(connectConfig: ConnectConfig, agentOptions?: Ssh2.HTTPAgentOptions) {
    super(agentOptions);
    this.#config = connectConfig;
    this.#source = agentOptions?.srcIP || 'localhost';
  }

  override createConnection(options: object, connected: Connected): undefined {
    open(this.#config, this.#source, options, connected, (channel) => {
      // What http asks of a connection, and a channel has not.
      const nothing = (): Duplex => channel;
      const destroySoon = channel.destroy;
      const [setKeepAlive, setNoDelay, setTimeout, ref, unref] = Array(5).fill(nothing);
      return Object.assign(channel, { setKeepAlive, setNoDelay, setTimeout, ref, unref, destroySoon });
    });
  }
}

/** ssh2's HTTPSAgent: the same with TLS in the channel. */
export class HTTPSAgent extends https.Agent {
  readonly #config: ConnectConfig;
  readonly #source: string;

  constructor(connectConfig: ConnectConfig, agentOptions?: Ssh2.HTTPSAgentOptions) {
    super(agentOptions);
    this.#config = connectConfig;
    this.#source = agentOptions?.srcIP || 'localhost';
  }

  override createConnection(options: object, connected: Connected): undefined {
    open(this.#config, this.#source, options, connected, (channel) => {
      const secured = tls.connect({ ...options, socket: channel });
      // A channel whose end nobody reads does not close.
      const readOn = (): void => {
        if (channel.isPaused()) channel.resume();
      };
      return secured.once('end', readOn).once('close', readOn);
    });
  }
}

function open(
  config: ConnectConfig,
  source: string,
  { localAddress, localPort, host, port }: Wanted,
  connected: Connected,
  use: (channel: Duplex) => Duplex,
): void {
  const client = new Client();
  let tried = false;
  client.on('ready', () => {
    client.forwardOut(localAddress || source, localPort || 0, `${host}`, Number(port), (error, channel) => {
      tried = true;
      if (error) {
        client.end();
        connected(error);
      } else {
        channel.once('close', () => client.end());
        connected(null, use(channel));
      }
    });
  });
  client.on('error', connected);
  client.on('close', () => {
    if (!tried) connected(new Error('Unexpected connection close'));
  });
  client.connect(config);
}
