import { ServiceNameSchema } from '../../../internal/model/service.ts';
import { HaproxyFront } from '../../../internal/sync/haproxy/haproxy-front.ts';
import { UsageError } from '../command-error.ts';
import { chosenServices } from './chosen-services.ts';
import type { SyncArguments } from './front-sync.ts';
import { runSync } from './run-sync.ts';

export interface SyncHaproxyArguments extends SyncArguments {
  readonly socket: string;
  readonly backend: readonly string[];
}

/** `heimdall sync haproxy`. @throws {UsageError} */
export async function syncHaproxy(given: SyncHaproxyArguments): Promise<void> {
  const backends = given.backend.map(backendOf);
  const front = new HaproxyFront({ socket: given.socket, backends });
  await runSync(given, front, chosenServices([...new Set(backends.map(({ service }) => service))]));
}

/** `web`, or `web=be_web`. What HAProxy's names are made of (configuration manual, section 4) ends no command. */
function backendOf(text: string): { readonly service: string; readonly backend: string } {
  const [service = '', backend = service] = text.split('=', 2);
  if (ServiceNameSchema.safeParse(service).success && /^[A-Za-z0-9_.:-]+$/.test(backend)) return { service, backend };
  throw new UsageError(`--backend ${JSON.stringify(text)}: expected a service such as "web", or "web=be_web"`);
}
