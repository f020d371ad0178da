import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from '../../pkg/sockets/http.ts';
import { type GuardSettings, refusalOf } from '../../pkg/http-guard/http-guard.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { Family } from '../../pkg/metrics/family.ts';
import { descriptorOf } from '../../pkg/sockets/descriptor.ts';
import { Gate } from '../../pkg/sockets/gate.ts';
import { stopAccepting } from '../../pkg/sockets/stop-accepting.ts';
import { authority } from '../model/address.ts';
import { hasCode, messageOf } from '../model/errors.ts';
import { askedBy } from './asked-by.ts';
import { conditionCause } from '../health/condition-cause.ts';
import type { Listener } from './engine.ts';
import { type Done, latenciesOf, type RecentTraffic } from './recent-traffic.ts';
import { type ExplainOptions, explainRequest, explainService, type Unexplained } from './explain/admin-routes.ts';
import type { ServicePool } from './service-pool.ts';
import type { Upstream } from './upstream.ts';

export interface AdminOptions extends ExplainOptions {
  readonly version: string;
  readonly recent: RecentTraffic;
  /** How each of the rules for alerts stands. */
  readonly rules: () => readonly object[];
  /** Facts of this process for `/status`. */
  readonly status: () => Readonly<Record<string, unknown>>;
  /** What the limits of routes have done to requests. */
  readonly rateLimits: () => unknown;
  /** All that can be told in numbers. */
  readonly metrics: () => Promise<readonly Family[]>;
  readonly testAlerts: () => Promise<readonly unknown[]>;
  /** Has another process take this one's place. */
  readonly reload: () => Promise<unknown>;
  /** See `Gate`. */
  readonly relayKey: string;
  readonly guard: () => GuardSettings;
  readonly log: Logger;
}

/** Routes that go on after this beginning. */
const WITH_REST = new Map([
  ['/explain/', '/explain/{id}'],
  ['/why/', '/why/{service}'],
]);

/** @param rest - what stands in place of the braces of the route. */
type Handler = (response: ServerResponse, request: IncomingMessage, rest: string) => void | Promise<void>;

/**
 * The load balancer's own small interface: what it sees, a trial alert, and its replacement. It changes nothing about traffic.
 * @param socket - the descriptor of a socket that listens there already; by default the address is bound.
 */
export async function startAdmin(
  options: AdminOptions,
  host: string,
  port: number,
  socket?: number,
): Promise<Listener> {
  const routes = routesOf(options);
  const gate = new Gate(options.relayKey);
  const app = gate.around((request, response) => void handle(routes, options, request, response));
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, app);
  server.listen(socket === undefined ? { host, port } : { fd: socket });
  await once(server, 'listening');
  server.on('error', (error) => options.log.warn({ err: error }, 'an admin connection could not be accepted'));
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const closed = once(server, 'close').then(() => server.close()); // ends its timers
  const within = (deadlineMs: number) => end(server, closed, deadlineMs);
  return {
    host,
    port: bound,
    close(deadlineMs) {
      server.close();
      return within(deadlineMs);
    },
    retire(deadlineMs) {
      stopAccepting(server);
      gate.passOnTo({ host, port: bound, ready: Promise.resolve() });
      return within(deadlineMs);
    },
    sockets: async () => [descriptorOf(server)],
  };
}

async function end(server: Server, closed: Promise<unknown>, deadlineMs: number): Promise<void> {
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearTimeout(deadline);
}

function routesOf(options: AdminOptions): Readonly<Record<string, Readonly<Record<string, Handler>>>> {
  const { version, pools, recent, rules, status, rateLimits, metrics, testAlerts, reload } = options;
  const upstreams = () => [...pools()].flatMap((pool) => upstreamsOf(pool, recent));
  return {
    '/': { GET: (response, request) => sendText(response, helpText(version, `http://${request.headers.host}`)) },
    '/status': { GET: (response) => sendJson(response, 200, { ...status(), services: [...pools()].map(summaryOf) }) },
    '/upstreams': { GET: (response) => sendJson(response, 200, upstreams()) },
    '/rules': { GET: (response) => sendJson(response, 200, rules()) },
    '/rate-limits': { GET: (response) => sendJson(response, 200, rateLimits()) },
    '/metrics': { GET: async (response) => sendMetrics(response, await metrics()) },
    '/explain/{id}': {
      GET: async (response, _request, id) => sendExplained(response, await explainRequest(options, id)),
    },
    '/why/{service}': {
      GET: (response, _request, service) => sendExplained(response, explainService(pools(), service)),
    },
    '/reload': { POST: async (response) => sendJson(response, 200, await reload()) },
    '/alerts/test': {
      POST: async (response) => {
        const results = await testAlerts();
        if (results.length > 0) sendJson(response, 200, results);
        else
          sendProblem(response, 409, 'No alert channel is configured; add one under alerts.email or alerts.webhooks.');
      },
    },
  };
}

async function handle(
  routes: ReturnType<typeof routesOf>,
  options: AdminOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refusalOf(request, options.guard());
  if (refusal !== null) {
    if (refusal.challenge !== undefined) response.setHeader('WWW-Authenticate', refusal.challenge);
    sendProblem(response, refusal.status, refusal.detail);
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const { route, rest } = placeOf(path);
  const methods = Object.hasOwn(routes, route) ? routes[route] : undefined;
  if (methods === undefined || rest === null) {
    sendProblem(response, 404, `There is no ${path} here. There are: ${Object.keys(routes).join(', ')}.`);
    return;
  }
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined) {
    response.setHeader('Allow', Object.keys(methods).join(', '));
    sendProblem(response, 405, `${path} does not answer to ${request.method}.`);
    return;
  }
  if (method === 'POST') tellOf(request, path, options.log);
  try {
    await handler(response, request, rest);
  } catch (error) {
    const status = hasCode(error, 'RELOAD_RUNNING') ? 409 : hasCode(error, 'RELOAD_FAILED') ? 502 : null;
    if (status !== null) return sendProblem(response, status, messageOf(error));
    options.log.error({ err: error, path }, 'an admin request failed');
    if (response.headersSent) response.destroy();
    else sendProblem(response, 500, 'The request failed; the log of the load balancer tells why.');
  }
}

/** Events are the manager's to write: what was asked for here, the log tells. */
function tellOf(request: IncomingMessage, path: string, log: Logger): void {
  const by = askedBy(request);
  log.info({ ...by, method: request.method, path }, `${by.actor} asked for POST ${path} (from ${by.address})`);
}

/** Of `/why/web`: the route `/why/{service}`, and `web`, decoded; null when it cannot be. */
function placeOf(path: string): { readonly route: string; readonly rest: string | null } {
  const end = path.indexOf('/', 1) + 1;
  const route = end === 0 ? undefined : WITH_REST.get(path.slice(0, end));
  if (route === undefined) return { route: path, rest: '' };
  try {
    return { route, rest: decodeURIComponent(path.slice(end)) };
  } catch {
    return { route, rest: null };
  }
}

function summaryOf(pool: ServicePool) {
  const upstreams = [...pool.upstreams()];
  return {
    name: pool.name,
    algorithm: pool.balancer.algorithm,
    upstreams: upstreams.length,
    healthy: pool.healthy().length,
    inFlight: upstreams.reduce((sum, { inFlight }) => sum + inFlight, 0),
    waiting: pool.waiting,
    paused: pool.paused,
  };
}

function upstreamsOf(pool: ServicePool, recent: RecentTraffic) {
  return [...pool.upstreams()].map((upstream) => viewOfUpstream(pool, upstream, recent));
}

function viewOfUpstream(pool: ServicePool, upstream: Upstream, recent: RecentTraffic) {
  const { id, instance, condition, standing, ejection, inFlight, picks, failures, cost } = upstream;
  const { host, port, lifecycle, weight } = instance;
  return {
    id,
    service: pool.name,
    url: `http://${authority(host, port)}`,
    lifecycle,
    health: condition,
    healthCause: conditionCause(upstream),
    ejection: ejection && {
      state: standing,
      cause: ejection.cause,
      since: new Date(ejection.since).toISOString(),
      until: new Date(ejection.until).toISOString(),
      times: ejection.times,
    },
    weight,
    weightInForce: upstream.weight, // less than all of it during a slow start
    inFlight,
    picks,
    failures,
    latencyMs: Number.isFinite(cost) ? cost : null,
    concurrency: concurrencyOf(upstream),
    lastMinute: lastMinuteOf(recent.lately(upstream, 60_000)),
  };
}

/** What `adaptiveConcurrency` has found out; null when it is off. */
function concurrencyOf({ concurrency, concurrencyLimit }: Upstream) {
  if (concurrencyLimit === null) return null;
  const { unloadedMs } = concurrencyLimit;
  return { limit: concurrency, unloadedMs: Number.isFinite(unloadedMs) ? Math.round(unloadedMs * 10) / 10 : null };
}

/** Times to the response head, in milliseconds. */
function lastMinuteOf({ latencies, requests, failures }: Done) {
  const { p50, p95, p99 } = latenciesOf(latencies);
  return { requests, failures, p50Ms: p50, p95Ms: p95, p99Ms: p99 };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', `${JSON.stringify(body, null, 2)}\n`);
}

function sendText(response: ServerResponse, body: string): void {
  send(response, 200, 'text/plain; charset=utf-8', body);
}

async function sendMetrics(response: ServerResponse, families: readonly Family[]): Promise<void> {
  const { expositionOf } = await import('../../pkg/metrics/exposition.ts'); // not before anybody asks
  const { contentType, body } = await expositionOf(families);
  send(response, 200, contentType, body);
}

function sendExplained(response: ServerResponse, answer: object | Unexplained): void {
  if ('facts' in answer) sendProblem(response, answer.status, answer.detail, answer.facts);
  else sendJson(response, 200, answer);
}

function sendProblem(response: ServerResponse, status: number, detail: string, facts: object = {}): void {
  const problem = { type: 'about:blank', status, detail, ...facts };
  send(response, status, 'application/problem+json', `${JSON.stringify(problem)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

function helpText(version: string, base: string): string {
  return `heimdall ${version}: the load balancer

how it is
  curl ${base}/status
every upstream with its health and load
  curl ${base}/upstreams
what the rate limits of routes have done
  curl ${base}/rate-limits
numbers for Prometheus
  curl ${base}/metrics
the rules of alerts.rules, and how far they are from an alert
  curl ${base}/rules
why a request went where it went, by the X-Request-Id of its answer
  curl ${base}/explain/ID
who gets the requests of a service now, and why
  curl ${base}/why/SERVICE
a trial alert to every channel
  curl -X POST ${base}/alerts/test
another process in place of this one, without a failed connection
  curl -X POST ${base}/reload
`;
}
