import { authority } from '../../model/address.ts';
import type { ResolvedServer, ResolvedService } from '../resolved.ts';
import { parseTemplate, renderTemplate, type Scope, type Vocabulary } from './template.ts';

/**
 * nginx takes no upstream without a server. The last resort is a listener of nginx itself, so that it is there whenever nginx is; it
 * is named only where nobody is up, for `backup` is refused beside `hash` and `random`.
 */
const DEFAULT_TEMPLATE = `# Written by "heimdall sync nginx": what is changed here by hand is lost.
{{#lastResort}}

server { # for services that nobody serves at present
    listen {{lastResort}};
    access_log off;
    keepalive_timeout 0;
    default_type text/plain;
    add_header Retry-After 1 always;
    return 503 "503 Service Unavailable\\nNo server is available for this request right now. Please try again.\\n";
}
{{/lastResort}}
{{#services}}

upstream {{service}} {
    zone heimdall_{{service}} {{zone}};
{{#method}}
    {{method}};
{{/method}}
{{#paused}}
    # paused: nobody gets requests
{{/paused}}
{{#servers}}
    server {{address}} weight={{weight}} max_fails=1 fail_timeout=2s{{#down}} down{{/down}}; # {{id}}{{#draining}}, drains{{/draining}}
{{/servers}}
{{#nobody}}
    server {{lastResort}}; # nobody is up: 503
{{/nobody}}
{{#empty}}
    server 127.0.0.1:1 down; # nobody is there: nginx answers 502
{{/empty}}
    keepalive 32;
}
{{/services}}
`;

const SERVICE_VALUES = ['service', 'algorithm', 'method', 'zone', 'lastResort'];

const VOCABULARY: Vocabulary = {
  '': { values: ['lastResort'], sections: ['services', 'lastResort'] },
  services: {
    values: SERVICE_VALUES,
    sections: ['servers', 'empty', 'nobody', 'paused', 'method', 'lastResort'],
  },
  servers: {
    values: [...SERVICE_VALUES, 'id', 'address', 'host', 'port', 'weight', 'node', 'state'],
    sections: ['up', 'down', 'draining', 'node'],
  },
};

/** A server in the memory that nginx's workers share, in kilobytes; the rest of the zone is its own. */
const ZONE_KB = { least: 128, each: 2 };

/** What stands in a comment of the file must not end it. */
const UNSAFE = /[^\x21-\x7e]|[;{}"'\\$]/g;

/** Makes the text of a file from what is to be in force. */
export type RenderUpstreams = (services: readonly ResolvedService[]) => string;

/**
 * @param template - null: ours.
 * @param lastResort - where nginx is to answer 503 itself; null: nowhere.
 * @throws {TemplateError}
 */
export function upstreamRenderer(template: string | null, lastResort: string | null): RenderUpstreams {
  const parsed = parseTemplate(template ?? DEFAULT_TEMPLATE, VOCABULARY);
  return (services) =>
    renderTemplate(parsed, {
      lastResort: lastResort ?? '',
      services: services.map((service) => serviceScope(service, lastResort !== null)),
    });
}

function serviceScope({ name, algorithm, hashKey, isPaused, servers }: ResolvedService, hasLastResort: boolean): Scope {
  const size = 2 ** Math.ceil(Math.log2(Math.max(ZONE_KB.least, ZONE_KB.each * servers.length)));
  return {
    service: name,
    algorithm,
    method: methodOf(algorithm, hashKey),
    zone: `${size}k`,
    paused: isPaused,
    nobody: hasLastResort && !servers.some(({ state }) => state === 'up'),
    empty: !hasLastResort && servers.length === 0,
    servers: servers.map(serverScope),
  };
}

function serverScope({ id, host, port, weight, node, state }: ResolvedServer): Scope {
  return {
    id: id.replace(UNSAFE, '_'),
    address: authority(host, port),
    host,
    port: String(port),
    weight: String(weight),
    node: node ?? '',
    state,
    up: state === 'up',
    down: state !== 'up',
    draining: state === 'draining',
  };
}

/** What comes nearest in nginx; empty: its own round robin, which is smooth and weighted. */
function methodOf(algorithm: ResolvedService['algorithm'], hashKey: string): string {
  switch (algorithm) {
    case 'round-robin':
    case 'weighted-round-robin':
      return '';
    case 'least-connections':
    case 'least-time':
      return 'least_conn';
    case 'random-two-choices':
      return 'random two least_conn';
    case 'sticky-round-robin':
      return 'hash $remote_addr consistent';
    case 'ip-url-hash':
      return `hash ${variablesOf(hashKey)} consistent`;
  }
}

function variablesOf(hashKey: string): string {
  const [kind = '', name = ''] = hashKey.split(':', 2);
  const variable = name.replaceAll('-', '_');
  if (kind === 'url') return '$request_uri';
  if (kind === 'ip') return '$remote_addr';
  if (kind === 'header' && /^\w+$/.test(variable)) return `$http_${variable.toLowerCase()}`;
  if (kind === 'cookie' && /^\w+$/.test(name)) return `$cookie_${name}`;
  return '$remote_addr$request_uri';
}
