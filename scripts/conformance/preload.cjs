// Loaded before a test of Node's: what the test itself requires or imports as net, tls, https or http2 is so-crypt's. Helpers of the
// tests (test/common) and Node go on with Node's modules.
const Module = require('node:module');
const { join, sep } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

const tests = process.env.SO_CRYPT_CONFORMANCE;
const lib = join(__dirname, '../../dist/lib');
const files = { net: 'index.js', tls: 'tls.js', https: 'https.js', http2: 'http2.js' };

function replacement(request, parent) {
  const file = files[request.replace(/^node:/, '')];
  if (file === undefined || typeof parent !== 'string') return undefined;
  return parent.startsWith(tests + sep) ? join(lib, file) : undefined;
}

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const file = replacement(request, parent?.filename);
  if (file === undefined) return load.call(this, request, parent, isMain);
  const loaded = load.call(this, file, module, false);
  return loaded.default ?? loaded;
};

Module.registerHooks({
  resolve(specifier, context, next) {
    const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : undefined;
    const file = context.conditions.includes('import') ? replacement(specifier, parent) : undefined;
    return file === undefined
      ? next(specifier, context)
      : { url: pathToFileURL(file).href, shortCircuit: true };
  },
});
