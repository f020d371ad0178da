import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Logger } from '../../pkg/logger/logger.ts';
import { HeimdallError } from '../model/errors.ts';
import { agentEndpoints } from './agents.ts';
import { channelEndpoints } from './alert-channels.ts';
import { alertEndpoints } from './alerts.ts';
import { Carrier } from './carrier.ts';
import { dashboard } from './dashboard.ts';
import { deploymentEndpoints } from './deployments.ts';
import { Deed } from './deed.ts';
import type { Endpoint } from './endpoint.ts';
import { forwarding } from './forwarding.ts';
import { guard, hostGuard } from './guard.ts';
import { invalid } from './input.ts';
import type { Alerts, Manager } from './manager.ts';
import { metricsEndpoint } from './metrics.ts';
import { type ErrorSender, mutation } from './mutation.ts';
import { liveEndpoint } from './live.ts';
import { nodeEndpoints } from './nodes.ts';
import { HTTP_STATUS, sendProblem } from './problem.ts';
import { RefusalLog } from './refusal-log.ts';
import { type Reload, reloadEndpoint } from './reload.ts';
import { requestLog } from './request-log.ts';
import { selfDescriptionEndpoints } from './self-description.ts';
import { serverEndpoints } from './servers.ts';
import { serviceEndpoints } from './services.ts';
import { SignatureGuard } from './signature-guard.ts';
import { statusEndpoints } from './status.ts';

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const BAD_ESCAPE = 'expected two hexadecimal digits after each %, that make up UTF-8; a % itself is %25';

export interface ApiOptions {
  readonly manager: Manager;
  readonly alerts: Alerts;
  readonly reload: Reload;
  /** The token that every call needs now; undefined: none. */
  readonly token: () => string | undefined;
  /** Host names besides the loopback ones under which clients may call now, without a port. */
  readonly allowedHosts: () => readonly string[];
  /** Where the built dashboard is; may be missing. */
  readonly dashboardFolder: string;
  readonly log: Logger;
  readonly version: string;
}

/** All that can be asked of the manager, in the order in which it is looked for. */
export function apiEndpoints({ manager, alerts, reload, token, version }: ApiOptions): readonly Endpoint[] {
  const endpoints: readonly Endpoint[] = [
    ...selfDescriptionEndpoints({ endpoints: () => endpoints, version, needsToken: () => token() !== undefined }),
    ...serverEndpoints(manager),
    ...agentEndpoints(manager),
    ...serviceEndpoints(manager),
    ...deploymentEndpoints(manager),
    ...statusEndpoints(manager),
    ...nodeEndpoints(manager),
    liveEndpoint(manager),
    metricsEndpoint(manager, alerts, version),
    ...alertEndpoints(alerts),
    ...channelEndpoints(alerts, manager),
    reloadEndpoint(reload),
  ];
  return endpoints;
}

/** The manager's HTTP API. */
export function createApi(options: ApiOptions): Express {
  const { manager, token, allowedHosts, dashboardFolder, log } = options;
  const hostSettings = () => ({ allowedHosts: allowedHosts(), allowedHostsKey: 'manager.allowedHosts' });
  const endpoints = apiEndpoints(options);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const refusals = new RefusalLog(log);
  const routine = endpoints.filter(({ description }) => description.isRoutine === true);
  app.use(requestLog(log, new Set(routine.map(({ path }) => path))), securityHeaders);
  const sendError = errorSender(log);
  const signatures = new SignatureGuard(token, refusals);
  const authenticate: SignatureGuard['check'] = (...call) => signatures.check(...call);
  const changing = (endpoint: Endpoint) => mutation(endpoint, { manager, token, authenticate, log, sendError });
  const handlers = handlersWith(manager.nodes, changing);
  const guarded = guard(() => ({ ...hostSettings(), token: token() }), refusals);
  const tokenless = guard(() => ({ ...hostSettings(), token: undefined }), refusals);
  const signable = signatures.before(tokenless, guarded);
  const { open = [], signed = [], others = [] } = Object.groupBy(endpoints, accessOf);
  app.use(hostGuard(hostSettings, refusals), dashboard(dashboardFolder));
  serve(app, open, handlers);
  serve(app, signed, (endpoint) => [signable, ...handlers(endpoint)]);
  app.use(guarded);
  serve(app, others, handlers);
  app.use(notFound(endpoints), failed(sendError));
  return app;
}

function accessOf({ description: { isOpen, isSignable } }: Endpoint): 'open' | 'signed' | 'others' {
  if (isOpen === true) return 'open';
  return isSignable === true ? 'signed' : 'others';
}

/** What answers the calls of an endpoint, in turn. */
type Handlers = (endpoint: Endpoint) => RequestHandler[];

/** @param changing - the handler of what does not only look. */
function handlersWith(nodes: Manager['nodes'], changing: (endpoint: Endpoint) => RequestHandler): Handlers {
  const carrier = nodes.self === null ? null : new Carrier(nodes.self, nodes);
  return (endpoint) => {
    const own = endpoint.method === 'GET' ? look(endpoint) : changing(endpoint);
    const isForwarded = carrier !== null && endpoint.description.onNode !== undefined;
    return isForwarded ? [forwarding(endpoint, nodes, carrier), own] : [own];
  };
}

function serve(app: Express, endpoints: readonly Endpoint[], handlers: Handlers): void {
  for (const [path, group] of byPath(endpoints)) {
    for (const endpoint of group) {
      const all = handlers(endpoint);
      if (endpoint.method === 'GET') app.get(path, ...all);
      else if (endpoint.method === 'POST') app.post(path, ...all);
      else if (endpoint.method === 'PATCH') app.patch(path, ...all);
      else app.delete(path, ...all);
    }
    app.all(path, methodNotAllowed(group));
  }
}

const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set(HEADERS);
  next();
};

/** Paths with parameters come last: what is written out means itself, whatever the method. */
function byPath(endpoints: readonly Endpoint[]): [path: string, endpoints: readonly Endpoint[]][] {
  const paths = [...Map.groupBy(endpoints, ({ path }) => path)];
  return paths.toSorted(([a], [b]) => Number(a.includes(':')) - Number(b.includes(':')));
}

function methodNotAllowed(endpoints: readonly Endpoint[]): RequestHandler {
  const allow = endpoints.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return (request, response) => {
    response.set('Allow', allow);
    sendProblem(request, response, 'METHOD_NOT_ALLOWED', `${request.path} takes ${allow}, not ${request.method}.`);
  };
}

function notFound(endpoints: readonly Endpoint[]): RequestHandler {
  const routes = endpoints.map(({ method, path }) => `${method} ${path}`);
  return (request, response) => {
    sendProblem(request, response, 'NOT_FOUND', `Nothing is at ${request.path}; GET / shows how to call.`, { routes });
  };
}

/** What only looks. */
function look({ handle }: Endpoint): RequestHandler {
  const bytes = Buffer.alloc(0);
  const deed = new Deed({ ifMatch: null, actor: null, tell: async () => {} });
  return (request, response) => handle(request, response, { bytes, deed });
}

function failed(sendError: ErrorSender): ErrorRequestHandler {
  return (error, request, response, _next) => {
    sendError(error instanceof URIError ? invalid('path', BAD_ESCAPE) : error, request, response); // of the router
  };
}

/** What is meant for people goes to the client; anything else only to the log, where the causes of every 5xx are. */
function errorSender(log: Logger): ErrorSender {
  return (error, request, response) => {
    const { method, path } = request;
    if (response.headersSent) {
      log.error({ err: error, method, path }, 'an answer could not be finished');
      response.destroy(); // the client sees that something is missing
      return;
    }
    if (error instanceof HeimdallError) {
      if (HTTP_STATUS[error.code] >= 500) log.warn({ err: error, method, path }, 'request failed');
      return sendProblem(request, response, error.code, error.message, error.context);
    }
    log.error({ err: error, method, path }, 'request failed');
    sendProblem(request, response, 'INTERNAL', 'The manager failed at this request; its log tells why.');
  };
}
