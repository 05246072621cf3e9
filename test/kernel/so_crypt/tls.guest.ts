import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Random } from '../../support/random.js';
import { applicationData } from '../../support/records.js';
import { allSuites, makeDirection } from '../../support/suites.js';
import { Driver } from './driver.js';
import { infoOf, packInfo, READ, WRITE } from './info.js';

const driver = new Driver();
after(() => driver.end());
const random = new Random(1);

for (const suite of allSuites) {
  test(`${suite.name}: what is written is what an oracle opens`, async () => {
    await driver.connect();
    const oracle = makeDirection(suite).oracle();
    assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, WRITE))), 0);
    for (const size of [1, 2, 15, 16, 17, 255, 1000, 16_383, 16_384, 16_385, 40_000]) {
      const data = random.bytes(size);
      assert.equal(await driver.send(data), size);
      const records = oracle.openAll((await driver.drain()).data);
      assert.deepEqual(applicationData(records), data);
      assert.equal(await driver.send(Buffer.of(1, 0), { type: 21 }), 2);
      const [alert] = oracle.openAll((await driver.drain()).data);
      assert.equal(alert!.type, 21);
      assert.deepEqual(alert!.plaintext, Buffer.of(1, 0));
    }
  });

  test(`${suite.name}: what an oracle seals is what is read`, async () => {
    await driver.connect();
    const oracle = makeDirection(suite).oracle();
    assert.equal(await driver.arm(packInfo(infoOf(oracle.keys, READ))), 0);
    for (const size of [1, 2, 15, 16, 17, 255, 1000, 16_383, 16_384]) {
      const data = random.bytes(size);
      await driver.wire(oracle.data(data));
      const got = await driver.recv();
      assert.equal(got.result, size);
      assert.deepEqual([got.type, got.data], [23, data]);
    }
    await driver.wire(oracle.seal(21, Buffer.of(1, 0)));
    const alert = await driver.recv();
    assert.deepEqual([alert.result, alert.type, alert.data], [2, 21, Buffer.of(1, 0)]);
  });
}
