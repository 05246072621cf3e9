/**
 * so-crypt/ssh: a drop-in for the package ssh2, which does the key exchange, authentication, channels and SFTP. From SSH_MSG_NEWKEYS on
 * the packets are sealed and opened by the socket below, on an engine.
 */
import { drop } from './drop-in.js';
import { HTTPAgent, HTTPSAgent } from './ssh/agents.js';
import { Client } from './ssh/client.js';
import { Server } from './ssh/server.js';
import { ssh2 } from './ssh/ssh2.js';

export type * from 'ssh2';
export type { CryptState, EngineChoice, EngineName } from './crypt-options.js';
export { Client, type ConnectConfig } from './ssh/client.js';
export { type Connection, Server, type ServerConfig } from './ssh/server.js';
export { HTTPAgent, HTTPSAgent };

export const { AgentProtocol, BaseAgent, createAgent, CygwinAgent, OpenSSHAgent, PageantAgent, utils } = ssh2;

/** Everything ssh2 has, with ours in its place; what require() gives. */
const api = drop(ssh2, { Client, Server, HTTPAgent, HTTPSAgent });

export { api as default, api as 'module.exports' };
