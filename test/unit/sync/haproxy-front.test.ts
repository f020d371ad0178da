import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { HaproxyFront } from '../../../internal/sync/haproxy/haproxy-front.ts';
import { server, service } from '../../support/synced.ts';

const STATES = '1\n# srv_name srv_addr srv_admin_state srv_uweight srv_port\n';
const PICTURE = { revision: 1, services: [service([server(80), server(81)])] };

describe('an HAProxy that does not do as it is told', () => {
  let folder = '';
  let played: Server | null = null;
  const socket = () => join(folder, 'socket');
  const front = () => new HaproxyFront({ socket: socket(), backends: [{ service: 'web', backend: 'web' }] });

  /** Answers each command in its turn; says no more than that. */
  const play = (answer: (command: string) => string) =>
    new Promise<string[]>((resolve) => {
      const commands: string[] = [];
      played = createServer((connection) => {
        connection.on('error', () => {});
        connection.once('data', (data) => {
          commands.push(String(data).trim());
          connection.end(answer(String(data).trim()));
        });
      });
      played.listen(socket(), () => resolve(commands));
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-haproxy-'));
  });
  afterEach(() => {
    played?.close();
    played = null;
  });
  after(() => rm(folder, { recursive: true }));

  for (const [what, answer, message] of [
    [
      'is no HAProxy',
      () => 'HTTP/1.1 400 Bad Request\r\n\r\n',
      /HAProxy says "HTTP\/1\.1 400 Bad Request" to "show servers state web"/,
    ],
    ['says nothing', () => '', /HAProxy says "" to/],
    ['sends what moves a cursor', () => '\u001b[2Jx', /HAProxy says "x" to/],
    ['has no such backend', () => "Can't find backend.\n\n", /HAProxy has no backend "web"/],
    ['permits no changes', () => 'Permission denied\n\n', /its "stats socket" needs "level admin"/],
    [
      'refuses a command',
      (command: string) => (command.startsWith('show') ? `${STATES}s1 127.0.0.1 1 1 1\n` : 'No such server.\n'),
      /HAProxy says "No such server\." to "set server web\/s1 addr 10\.0\.0\.7 port 80"/,
    ],
    [
      'says yes and does nothing',
      (command: string) => {
        if (command.startsWith('show')) return `${STATES}s1 127.0.0.1 1 1 1\ns2 127.0.0.1 1 1 1\n`;
        return command.includes(' addr ') ? 'IP changed' : '';
      },
      /did not do as it was told: "set server web\/s1 addr 10\.0\.0\.7 port 80" is still to be done/,
    ],
  ] as const) {
    it(`is known for it when it ${what}`, async () => {
      await play(answer);
      await assert.rejects(front().apply(PICTURE), { name: 'FrontError', message });
    });
  }

  it('is known to be away', async () => {
    await assert.rejects(front().apply(PICTURE), { name: 'FrontError', message: /HAProxy does not run, or/ });
  });

  it('gets what fits into it, and says loudly what does not', async () => {
    const commands = await play((command) => {
      if (command.startsWith('show')) return `${STATES}s1 10.0.0.7 0 1 80\n`;
      return 'Backend does not support dynamic servers.';
    });
    const { changed, warnings } = await front().apply(PICTURE);
    assert.deepEqual([changed, commands.at(-1)], [false, 'add server web/heimdall1 127.0.0.1:1']);
    assert.match(warnings.join(''), /has 1 servers and takes no more: web-81 get no requests; raise the number/);
  });

  it('does for one backend what it is told, though it has no such other one', async () => {
    let state = 1;
    const commands = await play((command) => {
      if (command.endsWith('typo')) return "Can't find backend.";
      if (command.startsWith('show')) return `${STATES}s1 10.0.0.7 ${state} 1 80\n`;
      state = 0;
      return '';
    });
    const backends = [
      { service: 'api', backend: 'typo' },
      { service: 'web', backend: 'web' },
    ];
    const services = [service([server(80)]), service([], { name: 'api' })];
    const applied = new HaproxyFront({ socket: socket(), backends }).apply({ revision: 1, services });
    await assert.rejects(applied, { message: 'HAProxy has no backend "typo"' });
    assert.ok(commands.includes('set server web/s1 state ready'));
  });

  it('goes without weights where its algorithm takes none', async () => {
    let state = 1;
    const commands = await play((command) => {
      if (command.startsWith('show')) return `${STATES}s1 10.0.0.7 ${state} 1 80\n`;
      if (command.includes('weight'))
        return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
      state = 0;
      return '';
    });
    const one = front();
    const services = [service([server(80, { weight: 3 })])];
    assert.equal((await one.apply({ revision: 1, services })).changed, true);
    assert.equal(await one.isCurrent(), true);
    assert.equal(commands.filter((command) => command.includes('weight')).length, 1);
  });
});
