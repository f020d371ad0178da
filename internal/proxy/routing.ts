import type { Route } from '../model/service.ts';

interface Entry<T> {
  readonly route: Route;
  readonly target: T;
}

/** Finds the route of a request: the most specific host first, then the longest path prefix. */
export class Router<T> {
  readonly #entries: readonly Entry<T>[];

  constructor(routes: readonly (readonly [Route, T])[]) {
    this.#entries = routes
      .map(([route, target]) => ({ route, target }))
      .toSorted((a, b) => hostRank(b.route.host) - hostRank(a.route.host) || b.route.path.length - a.route.path.length);
  }

  /**
   * @param host - the Host field or authority, with or without a port.
   * @param target - the request target; its query plays no part.
   * @param isMeant - others are passed over.
   */
  match(host: string, target: string, isMeant?: (found: T) => boolean): T | undefined {
    let name: string | undefined;
    let path: string | undefined;
    for (const { route, target: found } of this.#entries) {
      if (isMeant !== undefined && !isMeant(found)) continue;
      if (route.host !== '*' && !hostMatches(route.host, (name ??= hostName(host)))) continue;
      if (route.path === '/' || pathMatches(route.path, (path ??= pathOf(target)))) return found;
    }
    return undefined;
  }
}

/** Exact names before wildcards, longer wildcards before shorter ones, `*` last. */
function hostRank(pattern: string): number {
  if (pattern === '*') return 0;
  return pattern.startsWith('*.') ? pattern.length : 1_000;
}

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.')
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : host === pattern;
}

function pathMatches(prefix: string, path: string): boolean {
  if (path === prefix) return true;
  return path.startsWith(prefix) && (prefix.endsWith('/') || path[prefix.length] === '/');
}

function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  const name = (end > 0 ? host.slice(0, end) : host).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
