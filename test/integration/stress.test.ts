import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type StressReport, StressReportSchema } from '../../pkg/stress-test/report.ts';
import { type LoadPlan, runLoad } from '../../pkg/stress-test/run-load.ts';
import { closedPort } from '../support/proxy-raw.ts';

const MAIN = join(import.meta.dirname, '../../cmd/heimdall/main.ts');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Server: one\r\n\r\nok';

/** Answers each request, which comes in one piece, by what `answer` does. */
class Target implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly requests: string[] = [];

  constructor(answer: (socket: Socket, count: number) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        this.requests.push(chunk.toString());
        answer(socket, this.requests.length);
      });
    });
  }

  static async open(answer: (socket: Socket, count: number) => void): Promise<Target> {
    const target = new Target(answer);
    target.#server.listen(0, '127.0.0.1');
    await once(target.#server, 'listening');
    return target;
  }

  get url(): string {
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `http://127.0.0.1:${address.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function load(
  url: string,
  changes: Partial<LoadPlan> = {},
  signal = new AbortController().signal,
): Promise<StressReport> {
  const plan: LoadPlan = {
    url,
    method: 'GET',
    headers: {},
    body: undefined,
    connections: 30,
    durationMs: 300,
    timeoutMs: 10_000,
    rate: 100,
    by: null,
    ...changes,
  };
  return runLoad(plan, { signal, onProgress: () => undefined });
}

const lost = ({ errors }: StressReport) => Object.values(errors).reduce((sum, count) => sum + count, 0);

async function command(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, 'stress', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('a run of load', () => {
  it('sends as many requests as the rate asks for, as they were asked for', async () => {
    await using target = await Target.open((socket) => socket.write(OK));
    const report = await load(target.url, { method: 'POST', headers: { 'X-A': 'b' }, body: 'hello' });
    assert.deepEqual(report.statuses, { '200': 30 });
    assert.equal(target.requests.length, 30);
    assert.match(target.requests[0] ?? '', /^POST \/ HTTP\/1\.1\r\n[^]*X-A: b\r\n[^]*Content-Length: 5\r\n\r\nhello$/i);
    assert.equal(report.latency.count, 30);
    assert.equal(
      report.bars.reduce((sum, count) => sum + count),
      30,
    );
  });

  it('sends the next request after each answer without a rate', async () => {
    await using target = await Target.open((socket) => socket.write(OK));
    const report = await load(target.url, { rate: null, connections: 4 });
    assert.ok(report.answers > 4, `${report.answers} answers`);
    assert.equal(report.answers, target.requests.length);
  });

  it('counts apart by a header of the answers', async () => {
    await using target = await Target.open((socket, count) =>
      socket.write(count % 3 === 0 ? OK.replace('X-Server: one\r\n', '') : OK),
    );
    const { by } = await load(target.url, { by: 'X-SERVER' });
    const answers = Object.entries(by?.values ?? {}).map(([value, { answers }]) => [value, answers]);
    assert.deepEqual(answers, [
      ['(none)', 10],
      ['one', 20],
    ]);
  });

  it('counts latencies from when a request was due, though no connection was free', async () => {
    const waiting: Socket[] = [];
    let isStalled = true;
    await using target = await Target.open((socket, count) => {
      if (count === 1)
        setTimeout(() => {
          isStalled = false;
          for (const socket of waiting) socket.write(OK);
        }, 400);
      if (isStalled) waiting.push(socket);
      else socket.write(OK);
    });
    const { latency, service, answers } = await load(target.url, { durationMs: 600, connections: 2 });
    assert.equal(answers, 60);
    assert.ok(latency.p50 >= 60, `half of the requests were due in the first 340 of 400 ms, and p50 is ${latency.p50}`);
    assert.ok(service.p50 < latency.p50 / 2, `only two were sent meanwhile, and p50 is ${service.p50}`);
  });

  it('tells what was never answered from what was never sent, with the time that it took', async () => {
    await using target = await Target.open(() => undefined);
    const report = await load(target.url, { timeoutMs: 400, connections: 4 });
    assert.deepEqual(report.errors, { timeout: 4, 'not sent': 26 });
    assert.equal(report.latency.count, 30);
    assert.ok(report.latency.max >= 400);
  });

  it('counts each request that was refused, or whose connection ended before the answer', async () => {
    const refused = await load(`http://127.0.0.1:${await closedPort()}/`);
    assert.equal(refused.answers, 0);
    assert.equal((refused.errors.ECONNREFUSED ?? 0) + (refused.errors['not sent'] ?? 0), 30);
    await using target = await Target.open((socket, count) =>
      count % 2 === 0 ? socket.end('HTTP/1.1 2') : socket.write(OK),
    );
    const broken = await load(target.url);
    assert.equal(broken.answers, 15);
    assert.deepEqual(broken.errors, { 'closed before the answer': 15 });
  });

  it('tells answers that are no HTTP from those that do not come', async () => {
    await using target = await Target.open((socket, count) =>
      socket.write(count % 2 === 0 ? 'SSH-2.0-OpenSSH_9.2\r\n' : OK),
    );
    const report = await load(target.url);
    assert.equal(report.answers, 15);
    assert.deepEqual(report.errors, { 'malformed answer': 15 });
  });

  const answers: readonly (readonly [name: string, answer: (socket: Socket) => void])[] = [
    ['that end the connection', (socket) => socket.end(OK.replace('\r\n', '\r\nConnection: close\r\n'))],
    ['that end with the connection', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nok')],
    ['after an early hint', (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`)],
    [
      'before one that nobody asked for',
      (socket) => socket.end(`${OK}HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n`),
    ],
  ];
  for (const [name, answer] of answers)
    it(`counts answers ${name} once`, async () => {
      await using target = await Target.open(answer);
      const report = await load(target.url);
      assert.deepEqual(report.statuses, { '200': 30 });
      assert.equal(lost(report), 0);
    });

  it('ends early with what it has', async () => {
    const interrupt = new AbortController();
    await using target = await Target.open((socket, count) => {
      socket.write(OK);
      if (count === 10) interrupt.abort();
    });
    const report = await load(target.url, { durationMs: 3_600_000 }, interrupt.signal);
    assert.ok(report.wasInterrupted);
    assert.ok(report.answers >= 9 && report.answers < 1_000, `${report.answers} answers`);
  });

  it('sends what is due when it ends early, rather than to call it not sent', async () => {
    const interrupt = new AbortController();
    await using target = await Target.open((socket, count) => {
      socket.write(OK);
      if (count !== 10) return;
      const untilMs = performance.now() + 50;
      while (performance.now() < untilMs); // five requests become due meanwhile
      interrupt.abort();
    });
    const report = await load(target.url, { durationMs: 3_600_000 }, interrupt.signal);
    assert.deepEqual(report.errors, {});
  });

  it('waits no longer for the last answers when it is ended meanwhile', async () => {
    const interrupt = new AbortController();
    await using target = await Target.open((_, count) => {
      if (count === 10) setTimeout(() => interrupt.abort(), 200);
    });
    const report = await load(target.url, { durationMs: 100, timeoutMs: 3_600_000 }, interrupt.signal);
    assert.deepEqual(report.errors, { 'not answered in the end': 10 });
  });
});

describe('heimdall stress', () => {
  it('writes reports, and compares with one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-stress-'));
    try {
      await using target = await Target.open((socket) => socket.write(OK));
      const [json, html] = [join(folder, 'run.json'), join(folder, 'run.html')];
      const given = [
        '--header',
        'X-A: b',
        '--header',
        'X-C: d',
        target.url,
        '--duration',
        '300ms',
        '--rate',
        '100',
        '--by',
        'X-Server',
      ];
      const first = await command(...given, '--report', json, '--report', html);
      assert.deepEqual({ code: first.code, stderr: first.stderr }, { code: 0, stderr: '' });
      assert.match(first.stdout, /\n30 answers, /);
      assert.match(target.requests[0] ?? '', /\r\nX-A: b\r\nX-C: d\r\n/);
      assert.match(await readFile(html, 'utf8'), /^<!doctype html>/);
      const report = StressReportSchema.parse(JSON.parse(await readFile(json, 'utf8')));
      await writeFile(json, JSON.stringify({ ...report, throughput: 1_000 }));
      const second = await command(...given, '--compare', json);
      assert.equal(second.code, 1);
      assert.match(second.stdout, /\nanswers\/s .* worse\n/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reports what was so far when it is interrupted', async () => {
    await using target = await Target.open((socket, count) => {
      socket.write(OK);
      if (count === 5) child.kill('SIGINT');
    });
    const args = [MAIN, 'stress', target.url, '--duration', '60m', '--rate', '50', '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    assert.equal(code, 0);
    const report = StressReportSchema.parse(JSON.parse(stdout));
    assert.ok(report.wasInterrupted && report.answers >= 4);
  });

  it('refuses what it does not understand before it sends anything', async () => {
    await using target = await Target.open((socket) => socket.write(OK));
    for (const wrong of [
      ['--rate', 'fast'],
      ['--report', 'run.txt'],
      ['--report', 'there-is-none/run.html'],
      ['--compare', 'there-is-none.json'],
    ]) {
      const { code, stderr } = await command(target.url, ...wrong);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^heimdall: ${wrong[0] ?? ''}`));
    }
    assert.equal(target.requests.length, 0);
  });
});
