// Gives ssh2's tests, which look for ../lib, the installed package; with SO_CRYPT_CONFORMANCE_OURS so-crypt's classes in place of its own.
const Module = require('node:module');
const { join } = require('node:path');

const tests = process.env.SO_CRYPT_CONFORMANCE;
const ssh2 = join(__dirname, '../../node_modules/ssh2/lib');
const isOurs = process.env.SO_CRYPT_CONFORMANCE_OURS === '1';
const load = Module._load;

function ours(name) {
  const { Client, Server, HTTPAgent, HTTPSAgent, default: all } = require('../../dist/lib/ssh.js');
  return {
    'client.js': Client,
    'server.js': Server,
    'index.js': all,
    'http-agents.js': { SSHTTPAgent: HTTPAgent, SSHTTPSAgent: HTTPSAgent },
  }[name];
}

Module._load = function (request, parent, isMain) {
  if (!request.startsWith('../lib/') || !parent?.filename?.startsWith(tests))
    return load.call(this, request, parent, isMain);
  const name = request.slice('../lib/'.length);
  return (isOurs && ours(name)) || load.call(this, join(ssh2, name), parent, isMain);
};
