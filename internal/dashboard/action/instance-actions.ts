import type { LiveInstance, LiveService } from '../../model/live.ts';
import { plural } from '../format.ts';
import type { Action } from './action.ts';
import { wholeNumberOf } from './input.ts';

/** Takes one instance away, after a drain. @param remaining - healthy instances of its service besides it. */
export function removeInstance(instance: LiveInstance, remaining: number): Action {
  const { id, service, traffic, agent } = instance;
  const others = `${plural(remaining, 'healthy instance')} of ${service} ${remaining === 1 ? 'remains' : 'remain'}`;
  const end =
    agent === undefined
      ? `then it is stopped. ${others}, and the service wants one less from now on.`
      : `and it goes on where it runs: its agent ${agent.id} keeps it out of rotation until it is told otherwise. ${others}.`;
  return {
    title: `Remove ${id}`,
    verb: 'Drain and remove',
    isDestructive: true,
    fields: [],
    meaning: () =>
      `The load balancers give it no new requests. Its ${plural(traffic.inFlight, 'request')} in flight may finish, ${end}`,
    watch: { kind: 'drain', instance: id },
    run: async ({ servers }) => {
      await servers.remove(id);
      return { said: agent === undefined ? `${id} is drained and stopped.` : `${id} is drained.` };
    },
  };
}

/** Stops an instance at once. */
export function forceInstance({ id, traffic }: LiveInstance): Action {
  return {
    title: `Stop ${id} without a drain`,
    verb: 'Stop now',
    isDestructive: true,
    fields: [],
    meaning: () => `Its ${plural(traffic.inFlight, 'request')} in flight are cut off. Clients see errors.`,
    watch: { kind: 'drain', instance: id },
    run: async ({ servers }) => {
      await servers.remove(id, { force: true });
      return { said: `${id} is stopped.` };
    },
  };
}

/** Puts a new process of the same release in its place. @param known - the ids of the instances that are there. */
export function restartInstance({ id, service }: LiveInstance, known: ReadonlySet<string>): Action {
  return {
    title: `Restart ${id}`,
    verb: 'Restart',
    isDestructive: true,
    fields: [],
    meaning: () =>
      'Another instance that runs the same takes its place: the old one is drained and stopped when the new one is ready, so no request is lost. If that does not get ready, nothing changes.',
    watch: { kind: 'start', service, known },
    run: async ({ servers }) => {
      const fresh = await servers.restart(id);
      return { said: `${fresh.id} has taken the place of ${id}.` };
    },
  };
}

export function weighInstance({ id, weight }: LiveInstance): Action {
  return {
    title: `Weight of ${id}`,
    verb: 'Change',
    fields: [
      { name: 'weight', label: 'Weight', kind: 'number', value: String(weight), min: 1, max: 1_000, isRequired: true },
    ],
    meaning: () => 'Its share of the requests, relative to the weights of the others; in force at once.',
    run: async ({ servers }, { weight: next = '' }) => {
      const share = wholeNumberOf(next, 'Weight', 1, 1_000);
      await servers.weigh(id, share);
      return { said: `${id} has weight ${share}.` };
    },
  };
}

/** More instances of a service. @param known - the ids of those that are there. */
export function addInstances({ name, weight, version }: LiveService, known: ReadonlySet<string>): Action {
  return {
    title: `Add instances to ${name}`,
    verb: 'Start',
    fields: [
      { name: 'count', label: 'How many', kind: 'number', value: '1', min: 1, max: 100, isRequired: true },
      { name: 'weight', label: 'Weight', kind: 'number', value: String(weight), min: 1, max: 1_000, isRequired: true },
    ],
    meaning: ({ count }) =>
      `${startText(Number(count) || 0, version)} Each gets requests after its first passed health check.`,
    watch: { kind: 'start', service: name, known },
    run: async ({ servers }, { count = '', weight: share = '' }) => {
      const added = await servers.add({
        service: name,
        count: wholeNumberOf(count, 'How many', 1, 100),
        weight: wholeNumberOf(share, 'Weight', 1, 1_000),
      });
      return { said: `${added.map(({ id }) => id).join(', ')} ${added.length === 1 ? 'is' : 'are'} ready.` };
    },
  };
}

function startText(count: number, version: string | null): string {
  const release = version === null ? '' : ` of version ${version}`;
  return count === 1 ? `One more process${release} starts.` : `${count} more processes${release} start.`;
}
