import { type Endpoint, endpoint, Nothing } from './endpoint.ts';

/** `/`: what one can ask of the manager, as commands to copy. */
export function helpEndpoint(version: string, needsToken: () => boolean): Endpoint {
  return endpoint('GET', '/', { query: Nothing, body: Nothing }, async (_input, response) => {
    const base = `http://${response.req.headers.host}`;
    response.type('text/plain').send(helpText(version, base, needsToken()));
  });
}

function helpText(version: string, base: string, needsToken: boolean): string {
  const curl = needsToken ? 'curl -H "Authorization: Bearer $HEIMDALL_TOKEN"' : 'curl';
  return `heimdall ${version}: the server manager

one more instance of the default service
  ${curl} -X POST ${base}/servers/add
three more; also: service, weight, port, version, env
  ${curl} ${base}/servers/add -H 'Content-Type: application/json' -d '{"count": 3}'
all instances; also: ?service=NAME, ?status=running
  ${curl} ${base}/servers/list
one instance
  ${curl} '${base}/servers/get?port=9001'
drain and stop one; also: &force=true, which skips the drain
  ${curl} -X DELETE '${base}/servers/remove?port=9001'
the last lines that one has written; also: ?stream=out, ?lines=500, ?follow=1
  ${curl} -H 'Accept: text/plain' ${base}/servers/9001/logs
how the manager is
  ${curl} ${base}/status
what happened last; also: &service=NAME
  ${curl} '${base}/events?limit=20'
a trial alert to every channel
  ${curl} -X POST ${base}/alerts/test
`;
}
