import { configuredManager } from '../operate/configured-manager.ts';
import { managerAddress } from '../operate/manager-address.ts';
import type { Candidate, Lookups } from './candidates.ts';

/** Who waits longer has typed it by then; in milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * What the manager tells that the line names, or the configuration. One that does not answer at once knows nothing. Without the
 * client: to load its schemas takes longer than all else.
 */
export function managerLookups(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  patienceMs: number = PATIENCE_MS,
): Lookups {
  const ask = (path: string): Promise<readonly Record<string, unknown>[]> =>
    answerOf(path, words, env, patienceMs).catch(() => []);
  return {
    services: async () => (await ask('/services')).map(({ name, algorithm }) => candidate(name, algorithm)),
    instances: async () =>
      (await ask('/servers/list')).flatMap(({ id, port, service, status }) => [
        candidate(id, `port ${String(port)}, ${String(status)}`),
        candidate(port, `${String(service)}, ${String(status)}`),
      ]),
    nodes: async () =>
      (await ask('/nodes')).map(({ name, address, alive }) =>
        candidate(name, `${String(address)}, ${alive === true ? 'there' : 'away'}`),
      ),
  };
}

function candidate(value: unknown, description: unknown): Candidate {
  return { value: String(value), description: String(description) };
}

async function answerOf(
  path: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  patienceMs: number,
): Promise<readonly Record<string, unknown>[]> {
  const options = addressIn(words);
  const { baseUrl, token } = await managerAddress(options, env, () => configuredManager(options.config));
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const url = `${baseUrl}${path}`;
  const request = new Request(url, { headers }); // loads what fetching takes, before the clock runs
  const response = await fetch(request, { signal: AbortSignal.timeout(patienceMs) });
  const answer: unknown = response.ok ? await response.json() : [];
  return Array.isArray(answer) ? answer.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** The options that say which manager is meant. */
function addressIn(words: readonly string[]) {
  const valueOf = (name: string) => {
    const at = words.indexOf(name);
    const joined = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
    return at === -1 ? joined : words[at + 1];
  };
  const [config, manager, tokenFile] = ['--config', '--manager', '--token-file'].map(valueOf);
  return {
    ...(config === undefined ? {} : { config }),
    ...(manager === undefined ? {} : { manager }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  };
}
