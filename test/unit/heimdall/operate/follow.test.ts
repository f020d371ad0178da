import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { followDeployment } from '../../../../cmd/heimdall/operate/follow-deployment.ts';
import { LogFollower } from '../../../../cmd/heimdall/operate/follow-logs.ts';
import { logChoice } from '../../../../cmd/heimdall/operate/log-choice.ts';
import { removeInstance } from '../../../../cmd/heimdall/operate/remove-instance.ts';
import { type Client, HeimdallApiError, HeimdallConnectionError } from '../../../../internal/client/client.ts';
import type { DeploymentMessage } from '../../../../internal/client/deployments.ts';
import type { InstanceView } from '../../../../internal/model/instance-view.ts';
import type { LogLine } from '../../../../internal/model/log-line.ts';
import { ago, deploymentView, instanceView } from '../../../support/views.ts';

const LOST = new HeimdallConnectionError('http://a', 'nobody answers');
const { signal } = new AbortController();

/** Of a client, what a test needs of it. */
function clientOf(parts: object): Client {
  return parts as Client;
}

/** Yields what is given, then throws. */
async function* broken<T>(values: readonly T[], error: Error = LOST): AsyncGenerator<T, void> {
  yield* values;
  throw error;
}

describe('a deployment that is followed', () => {
  const step = (message: string): DeploymentMessage => ({ event: 'step', data: { at: ago(1), message } });
  const end: DeploymentMessage = { event: 'end', data: deploymentView() };

  it('is told once, although the manager was away meanwhile', async () => {
    const streams = [broken([step('a'), step('b')]), broken([]), broken([step('a'), step('b'), step('c'), end])];
    const client = clientOf({ deployments: { follow: () => streams.shift() } });
    const told: string[] = [];
    const teller = {
      step: ({ message }: { readonly message: string }) => void told.push(message),
      lost: () => void told.push('lost'),
    };
    const over = await followDeployment(client, 7, teller, signal, 0);
    assert.deepEqual([over?.id, told], [7, ['a', 'b', 'lost', 'lost', 'c']]);
  });

  it('is given up when the manager says no', async () => {
    const refusal = new HeimdallApiError(404, { detail: 'there is no deployment 7' });
    const client = clientOf({ deployments: { follow: () => broken([], refusal) } });
    await assert.rejects(followDeployment(client, 7, { step: () => {}, lost: () => {} }, signal, 0), refusal);
  });
});

describe('an instance that is removed', () => {
  const instance = instanceView(9001);
  /** @param lists - what the manager says one after the other; an error is thrown. */
  const removed = (lists: readonly (readonly InstanceView[] | Error)[]) => {
    const left = [...lists];
    const servers = {
      remove: async () => Promise.reject(LOST),
      list: async () => {
        const next = left.shift() ?? [];
        if (next instanceof Error) throw next;
        return next;
      },
    };
    return removeInstance(clientOf({ servers }), instance, { force: false, signal }, 0);
  };
  const draining = [{ ...instance, status: 'draining' } as const];

  it('is looked for until it is gone, when the connection ends before that', async () => {
    const gone = await removed([draining, new HeimdallConnectionError('http://a', 'still away'), draining, []]);
    assert.deepEqual([gone.id, gone.status], [instance.id, 'stopped']);
  });

  it('is not gone when it was never told to leave', async () => {
    await assert.rejects(removed([[instance]]), LOST);
  });
});

describe('logs that are followed', () => {
  const [first, second] = [instanceView(9001), instanceView(9002)];
  const declared = instanceView(8080, { id: 'web@10.0.0.1:8080', pid: null });
  const line = (text: string): LogLine => ({ stream: 'out', text });
  const notSpawned = new HeimdallApiError(409, { detail: 'not ours', code: 'NOT_SPAWNED' });

  /** A manager that answers like this, one after the other, and then ends the following. */
  function followed(
    lists: readonly (readonly InstanceView[] | Error)[],
    logs: Readonly<Record<string, readonly AsyncGenerator<LogLine, void>[]>>,
    name?: string,
  ) {
    const told: string[] = [];
    const ended = new AbortController();
    const [leftLists, leftLogs] = [
      [...lists],
      new Map(Object.entries(logs).map(([id, streams]) => [id, [...streams]])),
    ];
    const servers = {
      list: async () => {
        const next = leftLists.shift();
        if (next === undefined) ended.abort();
        if (next instanceof Error) throw next;
        return next ?? [];
      },
      followLogs: (id: string, { lines }: { lines: number }) => {
        told.push(`${id} from ${lines}`);
        return leftLogs.get(id)?.shift() ?? broken([]);
      },
    };
    const choice = logChoice(name, ['web'], [first, second]);
    const follower = new LogFollower(
      clientOf({ servers }),
      choice,
      { lines: 5, stream: undefined, lookMs: 1 },
      {
        joined: (id) => void told.push(`${id} joined`),
        line: async (id, { text }) => void told.push(`${id}: ${text}`),
        left: (id) => void told.push(`${id} left`),
        lost: () => void told.push('lost'),
      },
    );
    return { told, running: follower.run(ended.signal) };
  }

  it('has those that come, goes on where it was when the manager was away, and tells of those that go', async () => {
    const { told, running } = followed(
      [[first], LOST, LOST, [first, second], [second], [second]],
      { [first.id]: [broken([line('a')]), broken([line('b')])], [second.id]: [broken([line('c')])] },
      'web',
    );
    await running;
    assert.deepEqual(
      told.filter((text) => text.startsWith(first.id)),
      [
        `${first.id} joined`,
        `${first.id} from 5`,
        `${first.id}: a`,
        `${first.id} from 0`,
        `${first.id}: b`,
        `${first.id} left`,
      ],
    );
    assert.equal(told.filter((text) => text === 'lost').length, 1);
    assert.ok(told.includes(`${second.id}: c`));
  });

  it('leaves out what somebody else runs, and asks for it once', async () => {
    const { told, running } = followed([[declared], [declared], [declared]], {
      [declared.id]: [broken([], notSpawned)],
    });
    await running;
    assert.deepEqual(
      told.filter((text) => text.includes('from')),
      [`${declared.id} from 5`],
    );
  });

  it('end with the instance when that is the one that was asked for', async () => {
    const { told, running } = followed([[first], [], [], []], { [first.id]: [broken([line('a')])] }, first.id);
    await running;
    assert.ok(told.includes(`${first.id}: a`));
    assert.ok(!told.includes('lost'));
  });

  it('end with what the manager says when another try would not help', async () => {
    const refusal = new HeimdallApiError(401, { detail: 'no token' });
    const { running } = followed([[first], [first], [first]], { [first.id]: [broken([], refusal)] });
    await assert.rejects(running, refusal);
  });
});
