import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Successor } from '../../../cmd/runtime/successor.ts';
import { successorIs } from '../../support/successor-script.ts';

describe('a successor', () => {
  it('that ends while it waits for the word fails when it gets it, and takes nobody along', async (context) => {
    await successorIs(context, `process.send({ type: 'prepared' }, () => process.exit(5));`);
    const successor = await Successor.start(
      [],
      { starter: null, relayKey: 'k', registry: { driver: 'sqlite', path: '/data/registry.db', revision: 0 } },
      'prepared',
      new AbortController().signal,
    );
    await sleep(200); // the predecessor finishes what was asked of it
    successor.go();
    await assert.rejects(successor.until('ready'), /could not take over: it ended with code 5/);
    await sleep(50);
  });
});
