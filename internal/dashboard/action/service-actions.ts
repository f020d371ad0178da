import type { LiveService } from '../../model/live.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { Algorithm } from '../../model/algorithms.ts';
import { plural } from '../format.ts';
import type { Action } from './action.ts';
import { optionalText, variablesOf, wholeNumberOf } from './input.ts';

const ALGORITHMS: Readonly<Record<Algorithm, string>> = {
  'round-robin': 'each in turn',
  'weighted-round-robin': 'each in turn, as often as its weight says',
  'sticky-round-robin': 'a client stays with its instance, by a cookie',
  'ip-url-hash': 'the same client and URL go to the same instance',
  'least-connections': 'the one with the fewest requests in flight',
  'least-time': 'the one that answers soonest',
  'random-two-choices': 'the less busy of two drawn by lot',
};

export function scaleService({ name, desired }: LiveService): Action {
  return {
    title: `Scale ${name}`,
    verb: 'Scale',
    fields: [
      {
        name: 'instances',
        label: 'Instances',
        kind: 'number',
        value: String(desired),
        min: 0,
        max: 1_000,
        isRequired: true,
      },
    ],
    meaning: ({ instances }) => scaleText(desired, Number(instances)),
    run: async ({ services }, { instances = '' }) => {
      const wanted = wholeNumberOf(instances, 'Instances', 0, 1_000);
      await services.scale(name, wanted);
      return { said: `${name} is on its way to ${plural(wanted, 'instance')}.` };
    },
  };
}

function scaleText(now: number, wanted: number): string {
  if (wanted === now) return `There are ${now} already.`;
  if (wanted > now) return `From ${now} to ${wanted}: ${plural(wanted - now, 'instance')} more.`;
  const rest = wanted === 0 ? ' Nobody answers requests then.' : '';
  return `From ${now} to ${wanted}: ${plural(now - wanted, 'instance')} drained and stopped, no request is lost.${rest}`;
}

/** What it takes to say where something is done. */
type Place = Pick<NodeView, 'name' | 'alive' | 'services'>;

/** @param versions - what the configuration offers. @param nodes - all that there are. */
export function deployService(
  { name, version, desired }: LiveService,
  versions: readonly string[],
  nodes: readonly Place[],
): Action {
  return {
    title: `Deploy ${name}`,
    verb: 'Deploy',
    fields: [
      {
        name: 'version',
        label: 'Version',
        kind: 'text',
        value: '',
        isRequired: true,
        hint: `Running now: ${version ?? 'no named version'}.`,
        options: versions.map((value) => ({ value, label: value })),
      },
      ...(versions.length === 0 ? [] : [commandField(versions)]),
      { name: 'env', label: 'Variables', kind: 'variables', value: '', hint: 'One in each line: NAME=value.' },
    ],
    meaning: () =>
      `The ${plural(desired, 'instance')} are replaced a few at a time; no request is lost. When the new ones fail, the old ones come back by themselves.${whereText(name, nodes)}`,
    run: async ({ services }, { version: next, command, env = '' }) => {
      const { id } = await services.deploy(name, {
        version: optionalText(next),
        command: optionalText(command),
        env: variablesOf(env),
      });
      return { said: `Deployment ${id} has begun.`, watch: { kind: 'deployment', id } };
    },
  };
}

/** Through which nodes a deployment goes; nothing where there is but one. */
function whereText(service: string, nodes: readonly Place[]): string {
  const able = nodes.filter(({ services }) => services.includes(service));
  if (able.length < 2) return '';
  const namesOf = (isAlive: boolean) => able.filter(({ alive }) => alive === isAlive).map(({ name }) => name);
  const [there, away] = [namesOf(true), namesOf(false)];
  const kept = away.length === 0 ? '' : ` Left out, as away: ${away.join(', ')}.`;
  return ` One node after another: ${there.join(', then ')}. When one goes back, those after it keep what they run.${kept}`;
}

function commandField(versions: readonly string[]) {
  const named = { value: '', label: 'the one that is called like the version' };
  const options = [named, ...versions.map((value) => ({ value, label: value }))];
  return { name: 'command', label: 'Command', kind: 'choice', value: '', options } as const;
}

export function restartService({ name, desired }: LiveService, nodes: readonly Place[]): Action {
  return {
    title: `Restart ${name}`,
    verb: 'Restart',
    isDestructive: true,
    fields: [],
    meaning: () =>
      `The ${plural(desired, 'instance')} are replaced a few at a time by new processes of the same version; no request is lost.${whereText(name, nodes)}`,
    run: async ({ services }) => {
      const { id } = await services.restart(name);
      return { said: `Deployment ${id} has begun.`, watch: { kind: 'deployment', id } };
    },
  };
}

export function rollbackService({ name, deploying }: LiveService, nodes: readonly Place[]): Action {
  return {
    title: `Roll ${name} back`,
    verb: 'Roll back',
    isDestructive: true,
    fields: [],
    meaning: () =>
      deploying === null
        ? `The release before the present one runs again, in new processes; no request is lost.${whereText(name, nodes)}`
        : `Deployment ${deploying} is given up, and what ran before it runs again everywhere; no request is lost.`,
    run: async ({ services }) => {
      const { id } = await services.rollback(name);
      return { said: `Deployment ${id} has begun.`, watch: { kind: 'deployment', id } };
    },
  };
}

export function pauseService({ name }: LiveService): Action {
  return {
    title: `Pause ${name}`,
    verb: 'Pause',
    isDestructive: true,
    fields: [],
    meaning: () =>
      'New requests wait at the load balancers until you resume; those in flight go on. Who waits for too long gets 503.',
    run: async ({ services }) => {
      await services.pause(name);
      return { said: `${name} is paused.` };
    },
  };
}

export function resumeService({ name, waiting }: LiveService): Action {
  return {
    title: `Resume ${name}`,
    verb: 'Resume',
    fields: [],
    meaning: () => `${plural(waiting, 'request')} that wait go on, in the order in which they came.`,
    run: async ({ services }) => {
      await services.resume(name);
      return { said: `${name} goes on.` };
    },
  };
}

/** Algorithm, weight of new instances, and limit of requests in flight. */
export function changeSettings(service: LiveService): Action {
  const { name, algorithm, weight, maxConnections } = service;
  const options = Object.entries(ALGORITHMS).map(([value, words]) => ({ value, label: `${value}: ${words}` }));
  return {
    title: `Settings of ${name}`,
    verb: 'Change',
    fields: [
      { name: 'algorithm', label: 'Algorithm', kind: 'choice', value: algorithm, options },
      {
        name: 'weight',
        label: 'Weight of new instances',
        kind: 'number',
        value: String(weight),
        min: 1,
        max: 1_000,
        isRequired: true,
      },
      {
        name: 'maxConnections',
        label: 'Requests in flight per instance',
        kind: 'number',
        value: maxConnections === null ? '' : String(maxConnections),
        min: 1,
        max: 1_000_000,
        hint: 'Empty: no limit. More wait.',
      },
    ],
    meaning: () => 'In force at once on all load balancers, until the configuration says something else.',
    run: async ({ services }, values) => {
      const limit = optionalText(values['maxConnections']);
      const nextWeight = wholeNumberOf(values['weight'] ?? '', 'Weight', 1, 1_000);
      const nextLimit = limit === undefined ? null : wholeNumberOf(limit, 'Requests in flight', 1, 1_000_000);
      const chosen = isAlgorithm(values['algorithm']) ? values['algorithm'] : algorithm;
      await services.patch(name, {
        ...(chosen === algorithm ? {} : { algorithm: chosen }),
        ...(nextWeight === weight ? {} : { weight: nextWeight }),
        ...(nextLimit === maxConnections ? {} : { maxConnections: nextLimit }),
      });
      return { said: `The settings of ${name} are in force.` };
    },
  };
}

function isAlgorithm(value: string | undefined): value is Algorithm {
  return value !== undefined && Object.hasOwn(ALGORITHMS, value);
}
