import type { Fault } from './issues.ts';
import type { ConfigWarning } from './problem.ts';
import type { Sections } from './sections.ts';

/** Browsers and `fetch` connect to none of them, https://fetch.spec.whatwg.org/#bad-port. */
const REFUSED: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]);
const WHY = 'browsers and fetch refuse to connect to this port';

export function isRefusedByBrowsers(port: number): boolean {
  return REFUSED.has(port);
}

/** Where heimdall's own dashboard and commands would not get through. Ports of instances are reached in other ways. */
export function unreachableInterfaces({ manager, proxy }: Sections): Fault[] {
  return [
    ...(manager && isRefusedByBrowsers(manager.port)
      ? [
          {
            path: ['manager', 'port'],
            message: `${WHY}, so neither dashboard nor commands would reach the manager; take another`,
          },
        ]
      : []),
    ...(proxy && isRefusedByBrowsers(proxy.admin.port)
      ? [
          {
            path: ['proxy', 'admin', 'port'],
            message: `${WHY}, so heimdall explain and why would get no answer; take another`,
          },
        ]
      : []),
  ];
}

/** The load balancer may have other clients than browsers. */
export function warningsOf({ proxy }: Pick<Sections, 'proxy'>): ConfigWarning[] {
  if (!proxy || !isRefusedByBrowsers(proxy.port)) return [];
  return [{ path: 'proxy.port', message: `${WHY} (${proxy.port}); other clients reach it` }];
}
