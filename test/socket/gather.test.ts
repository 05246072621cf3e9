import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from '../../lib/userland/gather.js';

const entry = (chunk: Buffer | string, encoding: BufferEncoding | 'buffer' = 'buffer') => ({
  chunk,
  encoding,
});

test('chunks of all kinds become one run of bytes', () => {
  const entries = [
    entry('HTTP/1.1 é\r\n', 'latin1'),
    entry(Buffer.from([0, 1, 255])),
    entry('', 'latin1'),
    entry('€ 😀', 'utf8'),
    entry('AAEC', 'base64'),
    entry('00ff', 'hex'),
    entry('é', 'utf16le'),
  ];
  const expected = Buffer.concat(
    entries.map(({ chunk, encoding }) => Buffer.from(chunk as string, encoding as BufferEncoding)),
  );
  assert.deepEqual(gather(entries, 100_000), expected);
});

test('what a writer does not seal at once is not gathered: the memory is used again', () => {
  const entries = [entry(Buffer.alloc(300)), entry(Buffer.alloc(213))];
  assert.equal(gather(entries, 512), undefined);
  assert.equal(gather(entries, 513)?.length, 513);
  assert.equal(gather([entry(Buffer.alloc(20_000))], 131_072), undefined);
  assert.equal(gather([entry(Buffer.alloc(1))], 0), undefined);
});
