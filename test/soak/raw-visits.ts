import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BROKEN_CHUNKS, REFUSED_REQUESTS } from '../fuzz/corpus.ts';
import { longBodyPart } from '../support/long-body.ts';
import { any, anyLength, dial, type Place, type Visit } from './visit.ts';

const PIPELINED = 20;
const MESSAGES = 20;
const PERIOD = 1_000_000;
const ATTACKS = [...REFUSED_REQUESTS, ...BROKEN_CHUNKS];
/** Attacks that wait for an answer which never comes end after so long. */
const ATTACK_MS = 300;

/** Clients that go to the edge of HTTP, or beyond. */
export const RAW_VISITS: Readonly<Record<string, Visit>> = { pipelining: pipeline, tunnel, abort, attack };

/** Many requests at once: the answers must come in their order. */
async function pipeline(place: Place): Promise<void> {
  const requests = Array.from({ length: PIPELINED }, () => ({ from: any(PERIOD), length: anyLength(20_000) }));
  const socket = await dial(place);
  const texts = requests.map(({ from, length }, index) => {
    const last = index === PIPELINED - 1 ? 'Connection: close\r\n' : '';
    if (index % 2 === 0)
      return Buffer.from(`GET /octets?from=${from}&length=${length} HTTP/1.1\r\nHost: a\r\n${last}\r\n`);
    const head = `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${last}\r\n`;
    return Buffer.concat([Buffer.from(head), longBodyPart(from, length)]);
  });
  socket.write(Buffer.concat(texts));
  let answers = Buffer.concat(await socket.toArray());
  socket.destroy();
  for (const [index, { from, length }] of requests.entries()) {
    const start = answers.indexOf('\r\n\r\n') + 4;
    const head = answers.toString('latin1', 0, start);
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`answer ${index} of ${PIPELINED}: ${JSON.stringify(head)}`);
    if (!head.includes(`\r\nContent-Length: ${length}\r\n`)) throw new Error(`answer ${index} is another request's`);
    if (!answers.subarray(start, start + length).equals(longBodyPart(from, length))) throw new Error(`answer ${index}`);
    answers = answers.subarray(start + length);
  }
  if (answers.length > 0) throw new Error('more answers than requests');
}

/** Another protocol, whose messages come back, and whose end is in order. */
async function tunnel(place: Place): Promise<void> {
  const socket = await dial(place);
  socket.write('GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  const [head] = await once(socket, 'data', place);
  const text = String(head);
  if (!text.startsWith('HTTP/1.1 101 ') || !text.endsWith('\r\n\r\n')) throw new Error(text);
  const sent: Buffer[] = [];
  const echoed = socket.toArray();
  for (let n = 0; n < MESSAGES; n += 1) {
    const message = longBodyPart(any(PERIOD), anyLength(50_000));
    sent.push(message);
    if (!socket.write(message)) await once(socket, 'drain', place);
    await sleep(any(20));
  }
  socket.end();
  if (!Buffer.concat(await echoed).equals(Buffer.concat(sent))) throw new Error('the echo is another');
  socket.destroy();
}

/** A client that vanishes in the middle of whatever it does. */
async function abort(place: Place): Promise<void> {
  const socket = await dial(place);
  socket.on('error', () => {}); // the answer may have come before
  const text = [
    'GET /octets?from=1&length=900000&chunked HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhel',
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\nhello',
    'GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello',
    'GET /octets HTTP/1.1\r\nHos',
    'GET /octets?from=1&length=90 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5),
  ][any(6)];
  socket.write(text ?? '');
  socket.resume();
  await sleep(any(30));
  if (any(2) === 0) socket.destroy();
  else socket.resetAndDestroy();
}

/** What must be refused, or cut off. */
async function attack(place: Place): Promise<void> {
  const { name, text } = ATTACKS[any(ATTACKS.length)] ?? { name: '', text: '' };
  const socket = await dial(place);
  socket.on('error', () => {}); // it may be cut off while it writes
  socket.write(text, 'latin1');
  const answer = await answerWithin(socket, ATTACK_MS);
  socket.destroy();
  if (/^HTTP\/1\.1 [23]/.test(answer)) throw new Error(`${name} got through: ${JSON.stringify(text)}`);
}

async function answerWithin(socket: Socket, limitMs: number): Promise<string> {
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  const over = new AbortController();
  const ended = once(socket, 'close', over).catch(() => {});
  socket.once('end', () => socket.end());
  await Promise.race([ended, sleep(limitMs, null, over).catch(() => {})]);
  over.abort();
  return answer;
}
