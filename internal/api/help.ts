import { type Description, text } from './description.ts';
import { type Endpoint, endpoint, NoInput } from './endpoint.ts';

const HELP = {
  tag: 'manager',
  summary: 'Show these commands',
  ...NoInput,
  answers: { 200: text('what one can ask of the manager, as commands to copy', 'text/plain') },
  examples: [{}],
} as const satisfies Description;

/** `/`: what one can ask of the manager, as commands to copy. */
export function helpEndpoint(version: string, needsToken: () => boolean): Endpoint {
  return endpoint('GET', '/', HELP, async (_input, response) => {
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
another share of the requests for one, null: that of its service; a new one in its place, without losing a request
  ${curl} -X PATCH ${base}/servers/9001 -H 'Content-Type: application/json' -d '{"weight": 2}'
  ${curl} -X POST ${base}/servers/9001/restart
the last lines that one has written; also: ?stream=out, ?lines=500, ?follow=1
  ${curl} -H 'Accept: text/plain' ${base}/servers/9001/logs
all services, and one with its instances
  ${curl} ${base}/services
  ${curl} ${base}/services/web
another number of instances, another algorithm; also: maxConnections, weight
  ${curl} -X PATCH ${base}/services/web -H 'Content-Type: application/json' -d '{"instances": 4, "algorithm": "least-time"}'
  ${curl} ${base}/services/web/scale -H 'Content-Type: application/json' -d '{"instances": 4}'
another version, without losing a request; also: command, env, by; ?wait=true, ?queue=true
  ${curl} ${base}/services/web/deploy -H 'Content-Type: application/json' -d '{"version": "v2"}'
the same in new processes, or what ran before; {"to": 3}: what deployment 3 brought
  ${curl} -X POST ${base}/services/web/restart
  ${curl} -X POST ${base}/services/web/rollback
hold new requests, and let them go on
  ${curl} -X POST ${base}/services/web/pause
  ${curl} -X POST ${base}/services/web/resume
what was deployed, one of them, and how it goes at present
  ${curl} '${base}/deployments?limit=5'
  ${curl} ${base}/deployments/1
  ${curl} -N '${base}/deployments/1?follow=1'
how the manager is
  ${curl} ${base}/status
all of it as it is now, or as it changes, every second
  ${curl} '${base}/live?once=true'
  ${curl} -N ${base}/live
the same in numbers, for Prometheus
  ${curl} ${base}/metrics
what happened last; also: &service=NAME
  ${curl} '${base}/events?limit=20'
the installed version in place of the running one; the instances stay
  ${curl} -X POST ${base}/reload
alerts, newest first; also: ?state=active, ?service=NAME, ?limit=20
  ${curl} '${base}/alerts?state=active'
somebody knows of one, by its id or key: no repetition, only its end
  ${curl} ${base}/alerts/1/ack -H 'Content-Type: application/json' -d '{"by": "ann", "comment": "on it"}'
no alerts for a time; match: service, instance, severity, key ("instance-down:*"); also: until
  ${curl} ${base}/alerts/silences -H 'Content-Type: application/json' -d '{"match": {"service": "web"}, "for": "2h", "comment": "moving"}'
  ${curl} ${base}/alerts/silences
  ${curl} -X DELETE ${base}/alerts/silences/1
webhooks beside those of the configuration; also: "secret", "severity", "services", "quiet", "headers"
  ${curl} ${base}/alerts/channels -H 'Content-Type: application/json' -d '{"name": "chat", "webhook": {"url": "https://example.org/hook", "format": "slack"}}'
  ${curl} ${base}/alerts/channels
  ${curl} -X DELETE ${base}/alerts/channels/chat
the rules of alerts.rules that the manager watches; those about traffic: /rules of the load balancer's admin port
  ${curl} ${base}/alerts/rules
a trial alert to every channel
  ${curl} -X POST ${base}/alerts/test
`;
}
