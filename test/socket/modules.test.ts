import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';

const require = createRequire(import.meta.url);

for (const [name, nodes] of Object.entries({ '': net, '/tls': tls, '/https': https, '/http2': http2 }))
  test(`so-crypt${name} has all that Node's module has, by import and by require`, async () => {
    const required = require(`so-crypt${name}`);
    const imported = await import(`so-crypt${name}`);
    assert.equal(imported.default, required);
    for (const [member, { enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(nodes))) {
      assert.equal(typeof required[member], typeof Reflect.get(nodes, member), member);
      assert.equal(Object.keys(required).includes(member), enumerable, member);
    }
    const missing = Object.keys(nodes).filter((member) => !member.startsWith('_') && !(member in imported));
    // What some versions of Node have only, is in the module's object.
    const some = ['BoundSocket', 'createSecurePair', 'getCertificateCompressionAlgorithms'];
    assert.deepEqual(
      missing.filter((member) => !some.includes(member)),
      [],
    );
  });

test("what is set on the module is set on Node's, unless it is ours", () => {
  const ours = require('so-crypt/tls') as typeof tls;
  const before = tls.DEFAULT_MAX_VERSION;
  try {
    ours.DEFAULT_MAX_VERSION = 'TLSv1.2';
    assert.equal(tls.DEFAULT_MAX_VERSION, 'TLSv1.2');
  } finally {
    tls.DEFAULT_MAX_VERSION = before;
  }
  assert.notEqual(ours.connect, tls.connect);
  assert.throws(() => Object.assign(ours, { rootCertificates: [] }), TypeError);
});

test("createSecureContext set on the module is what Node's connect() and servers call", () => {
  const ours = require('so-crypt/tls') as typeof tls;
  const { createSecureContext: own } = ours;
  const { createSecureContext: nodes } = tls;
  const asked: unknown[] = [];
  try {
    ours.createSecureContext = (options) => {
      asked.push(options?.ciphers);
      return own(options);
    };
    ours.createServer({ ciphers: 'AES128-SHA' });
    assert.deepEqual(asked, ['AES128-SHA']);
  } finally {
    ours.createSecureContext = own;
  }
  assert.equal(ours.createSecureContext, own);
  assert.equal(tls.createSecureContext, nodes);
  assert.notEqual(own, nodes);
});
