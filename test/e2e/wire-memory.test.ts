import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BodyLine, type Passage } from '../support/body-line.ts';
import { TELLS_MEMORY } from '../support/resident-memory.ts';

const MIB = 1024 * 1024;
const LENGTH = 256 * MIB;
/** What the proxy's memory may grow by. */
const GROWTH = 64 * MIB;
/** What may be on the way between two ends: in the kernel’s buffers, in the senders' and in the proxy's. */
const ON_THE_WAY = 64 * MIB;

describe('a body of 256 MiB through the wire engine', { skip: !TELLS_MEMORY }, () => {
  let line: BodyLine;
  before(async () => {
    line = await BodyLine.open();
    await line.download(32 * MIB, false); // what the process needs in any case, it has from now on
  });
  after(() => line[Symbol.asyncDispose]());

  function check({ received, growth, ahead }: Passage): void {
    assert.equal(received, LENGTH);
    assert.ok(growth < GROWTH, `the proxy grew by ${growth / MIB} MiB`);
    assert.ok(ahead < ON_THE_WAY, `${ahead / MIB} MiB were sent to nobody`);
  }

  it('comes down in constant memory', async () => check(await line.download(LENGTH, false)));
  it('comes down no faster than the client reads', async () => check(await line.download(LENGTH, true)));
  it('goes up in constant memory', async () => check(await line.upload(LENGTH, false)));
  it('goes up no faster than the backend reads', async () => check(await line.upload(LENGTH, true)));
});
