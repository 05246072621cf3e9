import { test } from 'node:test';
import { fromClient, toServer } from '../support/openssl-exchange.js';
import { tlsSuites } from '../support/tls-suites.js';

for (const suite of tlsSuites) {
  test(`to s_server: ${suite.name}`, (t) => toServer(t, suite));
  test(`from s_client: ${suite.name}`, (t) => fromClient(t, suite));
}
