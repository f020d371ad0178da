import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { sendJson } from './respond.ts';

/** Has another process take this one's place. @throws {HeimdallError} RELOAD_FAILED, RELOAD_RUNNING. */
export type Reload = () => Promise<{ readonly pid: number; readonly successor: number }>;

/** `/reload`: the installed version in place of the running one. */
export function reloadEndpoint(reload: Reload): Endpoint {
  return endpoint('POST', '/reload', { query: Nothing, body: Nothing }, async (_input, response) => {
    sendJson(response, await reload());
  });
}
