import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LineBatch, LineCollector } from '../../../../internal/proxy/access-log/line-collector.ts';

function collecting() {
  const batches: LineBatch[] = [];
  const collector = new LineCollector((batch) => batches.push(batch));
  const texts = () => batches.map(({ octets }) => (octets === null ? null : Buffer.from(octets).toString('latin1')));
  return { batches, collector, texts };
}

describe('lines of the access log', () => {
  it('are sent on together, a moment after the first', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { collector, texts, batches } = collecting();
    collector.add('one\n');
    context.mock.timers.tick(99);
    collector.add('two\n');
    assert.deepEqual(texts(), []);
    context.mock.timers.tick(1);
    assert.deepEqual(texts(), ['one\ntwo\n']);
    assert.deepEqual([batches[0]?.lines, batches[0]?.dropped], [2, 0]);
    context.mock.timers.tick(1_000);
    assert.equal(batches.length, 1, 'nothing is done while nothing happens');
  });

  it('are sent on at once when they are many, whole', () => {
    const { collector, texts, batches } = collecting();
    const line = `${'x'.repeat(9_999)}\n`;
    for (let n = 0; n < 53; n += 1) collector.add(line);
    assert.deepEqual(texts(), [line.repeat(52)]);
    collector.flush();
    assert.deepEqual([texts()[1], batches[1]?.lines], [line, 1]);
  });

  it('are sent on whole and in order, however long', () => {
    const { collector, texts } = collecting();
    const long = `${'y'.repeat(600_000)}\n`;
    collector.add('before\n');
    collector.add(long);
    collector.add('after\n');
    collector.flush();
    assert.deepEqual(texts(), ['before\n', long, 'after\n']);
  });

  it('are dropped and counted while two megabytes wait for the output, and written again after that', () => {
    const { collector, batches } = collecting();
    const line = `${'x'.repeat(4_095)}\n`;
    for (let n = 0; n < 1_000; n += 1) collector.add(line);
    collector.flush();
    const sent = batches.flatMap(({ octets }) => octets ?? []);
    assert.equal(
      sent.reduce((sum, { length }) => sum + length, 0),
      2 * 1024 ** 2,
    );
    assert.equal(
      batches.reduce((sum, { lines, dropped }) => sum + lines + dropped, 0),
      1_000,
    );
    assert.equal(batches.at(-1)?.octets, null, 'drops are told even when nothing is written');
    collector.returned(sent[0]!.buffer);
    collector.add('again\n');
    collector.flush();
    assert.deepEqual([batches.at(-1)?.lines, batches.at(-1)?.dropped], [1, 0]);
    assert.equal(batches.at(-1)?.octets?.buffer, sent[0]!.buffer, 'memory is used again');
    assert.equal(Buffer.from(batches.at(-1)?.octets ?? []).toString(), 'again\n');
  });
});
