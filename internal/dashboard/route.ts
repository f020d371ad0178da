/** Where the reader is; kept in the fragment of the address, so that it can be kept and passed on. */
export interface Route {
  readonly view: 'overview' | 'service' | 'instances' | 'activity';
  /** Of the view `service`. */
  readonly service: string | null;
  /** The instance whose drawer is open. */
  readonly instance: string | null;
}

export const HOME: Route = { view: 'overview', service: null, instance: null };

/** @param hash - `#/services/web?instance=web-9001-x`; what makes no sense leads home. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, name] = path.split('/');
  const instance = new URLSearchParams(query).get('instance');
  if (view === 'services' && name) return { view: 'service', service: decoded(name), instance };
  if (view === 'instances' || view === 'activity') return { view, service: null, instance };
  return { ...HOME, instance };
}

export function hashOf({ view, service, instance }: Route): string {
  const query = instance === null ? '' : `?${new URLSearchParams({ instance }).toString()}`;
  if (view === 'overview') return `#/${query}`;
  return view === 'service' ? `#/services/${encodeURIComponent(service ?? '')}${query}` : `#/${view}${query}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}
