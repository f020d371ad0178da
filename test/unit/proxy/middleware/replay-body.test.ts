import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { type BodyFault, ReplayBody } from '../../../../internal/proxy/middleware/replay-body.ts';
import { settle } from '../../../support/manual-clock.ts';
import { eventually } from '../../../support/proxy-raw.ts';

function bodyOf(limits: { maxBytes?: number; idleMs?: number } = {}) {
  const request = Object.assign(new IncomingMessage(new Socket()), { _read() {} });
  const faults: BodyFault[] = [];
  const { maxBytes = null, idleMs = 60_000 } = limits;
  const body = new ReplayBody(request, { maxBytes, idleMs }, (fault) => faults.push(fault));
  const end = () => {
    request.push(null);
    request.emit('close');
  };
  return { request, body, faults, end };
}

/** Reads a stream as it comes. */
function collect(stream: Readable): { text: string; ended: boolean } {
  const seen = { text: '', ended: false };
  stream.on('data', (chunk: Buffer) => {
    seen.text += chunk.toString();
  });
  stream.on('end', () => {
    seen.ended = true;
  });
  return seen;
}

describe('a request body for several attempts', () => {
  it('is not read before the attempt has a connection', async () => {
    const { request, body, end } = bodyOf();
    request.push('hello');
    const seen = collect(body.stream());
    await settle();
    assert.deepEqual([seen.text, request.isPaused()], ['', true]);
    body.start();
    await settle();
    assert.equal(seen.text, 'hello');
    end();
    await settle();
    assert.ok(seen.ended);
  });

  it('gives the next attempt what the one before has read, and then what still comes', async () => {
    const { request, body, end } = bodyOf();
    const first = collect(body.stream());
    body.start();
    request.push('one ');
    await settle();
    body.detach();
    assert.equal(first.text, 'one ');
    const second = collect(body.stream());
    body.start();
    request.push('two');
    end();
    await settle();
    assert.deepEqual([second.text, second.ended], ['one two', true]);
    assert.deepEqual([first.text, first.ended], ['one ', false]);
    body.detach();
    const third = collect(body.stream());
    body.start();
    await settle();
    assert.deepEqual([third.text, third.ended], ['one two', true]);
  });

  it('can be repeated up to 64 KiB, and not once an answer has begun', async () => {
    const { request, body, end } = bodyOf();
    collect(body.stream());
    body.start();
    request.push(Buffer.alloc(64 * 1024));
    await settle();
    assert.ok(body.replayable);
    request.push('x');
    await settle();
    assert.ok(!body.replayable);
    end();
    const other = bodyOf();
    other.body.forget();
    assert.ok(!other.body.replayable);
  });

  it('reads the client no faster than the attempt reads', async () => {
    const { request, body, end } = bodyOf();
    const stream = body.stream();
    stream.read(0);
    body.start();
    for (let i = 0; i < 8; i += 1) request.push(Buffer.alloc(64 * 1024));
    await settle();
    assert.ok(request.isPaused());
    assert.ok(stream.readableLength <= 128 * 1024, `${stream.readableLength} bytes were read ahead`);
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    await eventually('all is read', () => length === 8 * 64 * 1024);
    end();
  });

  it('is refused once it is larger than allowed, and gives no attempt more than that', async () => {
    const { request, body, faults, end } = bodyOf({ maxBytes: 10 });
    const seen = collect(body.stream());
    body.start();
    request.push('0123456789');
    await settle();
    assert.deepEqual(faults, []);
    request.push('x');
    await settle();
    request.push('more');
    await settle();
    assert.deepEqual([faults, seen.text], [['too-large'], '0123456789']);
    end();
  });

  it('notices a client that falls silent, but not while it is the upstream that does not read', async () => {
    const { body, faults, request, end } = bodyOf({ idleMs: 20 });
    const stream = body.stream();
    stream.read(0);
    body.start();
    request.push(Buffer.alloc(256 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual(faults, []);
    stream.resume();
    await eventually('the silence is noticed', () => faults.length > 0);
    assert.deepEqual(faults, ['idle']);
    end();
  });
});
