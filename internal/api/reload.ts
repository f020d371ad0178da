import { type ReloadView, ReloadViewSchema } from '../model/reload-view.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, NoInput } from './endpoint.ts';
import { sendJson } from './respond.ts';

/** Has another process take this one's place. @throws {HeimdallError} RELOAD_FAILED, RELOAD_RUNNING. */
export type Reload = () => Promise<ReloadView>;

const RELOAD = {
  tag: 'manager',
  summary: 'Have the installed version take the place of the running manager',
  details:
    'The instances stay, and so do the connections to the load balancer. Answers when the new one has taken over.',
  ...NoInput,
  answers: { 200: json('both processes', ReloadViewSchema, { pid: 4700, successor: 4900 }) },
  problems: ['RELOAD_RUNNING', 'RELOAD_FAILED'],
  examples: [{}],
} as const satisfies Description;

/** `/reload`: the installed version in place of the running one. */
export function reloadEndpoint(reload: Reload): Endpoint {
  return endpoint('POST', '/reload', RELOAD, async ({ deed }, response) => {
    await deed.tellNow('asked for a reload of the manager'); // when it is over, the registry is the successor's
    sendJson(response, await reload());
  });
}
