/**
 * Where everything is, below the prefix. What is under `state/` every process has in memory, so that it is short or few. What
 * is under `told/` and `requests/` managers have: with many load balancers, what one of them tells is not told to them all.
 * What is under `kept/` is read when somebody asks for it.
 */
export const NAMES = {
  id: 'state/id',
  /** See `FORMAT`. */
  format: 'state/format',
  /** Changed with every commit of desired state: its revision is that of the picture. */
  revision: 'state/revision',
  /** As long as another registry is copied into this one; no manager begins on a half of it. */
  copying: 'state/copying',
  watched: 'state/watched',
  counter: (of: string) => `state/counters/${of}`,
  instance: (host: string, port: number) => `state/instances/${encodeURIComponent(host)}/${port}`,
  /** Goes with the lease of an announced instance. */
  announced: (instanceId: string) => `state/announced/${encodeURIComponent(instanceId)}`,
  /** What a node keeps of a service; what all nodes keep of it. */
  service: (node: string, service: string) => `state/services/${node}/${encodeURIComponent(service)}`,
  shared: (service: string) => `state/shared/${encodeURIComponent(service)}`,
  deployment: (node: string, id: number | '') => `state/deployments/${node}/${id}`,
  /** What was told of a node last; goes never. */
  node: (node: string) => `state/nodes/${node}`,
  /** What the instances of a node use, as it was told last; goes never. */
  usage: (node: string) => `state/usage/${node}`,
  /** Goes with the lease of the node's manager. */
  manager: (node: string) => `state/managers/${node}`,
  /** The last commit of a node's manager, or of an agent. */
  commit: (node: string) => `state/commits/${node}`,
  /** What a load balancer told last; goes a minute after it. */
  proxy: (id: string) => `told/proxies/${encodeURIComponent(id)}`,
  /** Goes with the lease of a load balancer. */
  present: (proxyId: string) => `state/present/${encodeURIComponent(proxyId)}`,
  health: (instanceId: string) => `told/health/${encodeURIComponent(instanceId)}`,
  alert: (id: string) => `state/alerts/${encodeURIComponent(id)}`,
  message: (id: string, channel: string) => `state/outbox/${encodeURIComponent(id)}/${encodeURIComponent(channel)}`,
  acknowledgement: (alert: string) => `state/acknowledgements/${encodeURIComponent(alert)}`,
  silence: (id: number) => `state/silences/${id}`,
  channel: (name: string) => `state/channels/${encodeURIComponent(name)}`,
  latencies: (proxyId: string) => `kept/latencies/${encodeURIComponent(proxyId)}`,
  ejection: (instanceId: string) => `kept/ejections/${encodeURIComponent(instanceId)}`,
  request: (owner: string, key: string) => `requests/of-${encodeURIComponent(owner)}/${encodeURIComponent(key)}`,
  answer: (owner: string, key: string) => `kept/answers/of-${encodeURIComponent(owner)}/${encodeURIComponent(key)}`,
};

/** Of `state/services/<node>/<service>` and the like. */
export function nodeIn(name: string): string {
  return name.split('/')[2] ?? '';
}
