import type { CopyPreview } from '../../../internal/registry/copy.ts';
import { aligned } from '../aligned.ts';

type Counts = CopyPreview['counts'];

interface Ways {
  readonly from: string;
  readonly to: string;
  readonly node: string;
}

const LEFT_OUT =
  'who uses it at present (managers, load balancers, what they report each second, signs of life of agents)';

/** What would happen. */
export function previewText(ways: Ways, { counts, loopback, content, users }: CopyPreview): string {
  const there = content === null ? '' : `In etcd there is something already: ${content}.\n`;
  const next =
    users.manager === null
      ? 'heimdall registry copy, without --dry-run, copies it.'
      : `A manager (pid ${users.manager}) uses it. With this configuration in its place, heimdall reload copies while it hands over.`;
  return `${heading(ways, counts)}${hint(loopback)}${there}
Nothing was changed. ${next}
`;
}

/** What has happened, and what comes next. */
export function copiedText(ways: Ways, counts: Counts, { loopback, users }: CopyPreview): string {
  const next =
    users.proxies.length === 0
      ? 'Start heimdall with this configuration: instances that still run are adopted.'
      : `Start the manager with this configuration (instances that still run are adopted), then at once: heimdall reload --only proxy
(the load balancer serves what it knows meanwhile; remove and deploy nothing before that).`;
  return `${heading(ways, counts)}${hint(loopback)}
Copied. ${next}
`;
}

function heading({ from, to, node }: Ways, counts: Counts): string {
  return `${aligned(
    [
      ['from', from],
      ['to', `${to}, as node ${node}`],
      ['copied', countsText(counts)],
      ['left out', LEFT_OUT],
    ],
    [0, 1],
  )}\n`;
}

/** `1 service, 3 instances, …`; what there is none of is left out. */
function countsText(counts: Counts): string {
  const { services, instances, deployments, steps, events, outages, deliveries, silences, channels, requests } = counts;
  const told: readonly (readonly [count: number, one: string, many: string])[] = [
    [services, 'service', 'services'],
    [instances, 'instance', 'instances'],
    [deployments, 'deployment', 'deployments'],
    [steps, 'step of them', 'steps of them'],
    [events, 'event', 'events'],
    [outages, 'alert', 'alerts'],
    [deliveries, 'message to be sent', 'messages to be sent'],
    [silences, 'silence', 'silences'],
    [channels, 'added channel', 'added channels'],
    [requests, 'answer under an Idempotency-Key', 'answers under an Idempotency-Key'],
    [counts.health, 'health record', 'health records'],
    [counts.latencies, 'learned latency', 'learned latencies'],
    [counts.ejections, 'ejection', 'ejections'],
    [counts.samples, 'sample of traffic', 'samples of traffic'],
  ];
  const there = told.filter(([count]) => count > 0);
  if (there.length === 0) return 'nothing: it is empty';
  return there.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`).join(', ');
}

function hint(loopback: readonly string[]): string {
  if (loopback.length === 0) return '';
  const count = loopback.length === 1 ? '1 instance listens' : `${loopback.length} instances listen`;
  return `${count} on this machine alone. Before load balancers of other machines use them: set node.address, and heimdall services restart.\n`;
}
