import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import type { ServiceChange } from '../registry.ts';
import type { Handle } from './handle.ts';
import { readService } from './queries.ts';

/** Returns whether anything is different now; a service that is new is added. */
export function changeService(handle: Handle, service: string, change: ServiceChange): boolean {
  const before = readService(handle, service);
  const after = { ...(before ?? newServiceState(service)), ...change };
  const columns = columnsOf(after);
  if (before === null ? Object.keys(change).length === 0 : isSame(columnsOf(before), columns)) return false;
  handle.run(
    `INSERT INTO services (name, desired, configured, release, overrides, paused_since, scheduled) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET desired = excluded.desired, configured = excluded.configured, release = excluded.release,
       overrides = excluded.overrides, paused_since = excluded.paused_since, scheduled = excluded.scheduled`,
    ...columns,
  );
  return true;
}

/** In the order of the statement above. */
function columnsOf({ service, desired, configured, release, overrides, pausedSince, scheduled }: ServiceState) {
  return [service, desired, configured, JSON.stringify(release), JSON.stringify(overrides), pausedSince, scheduled];
}

function isSame(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.every((value, index) => value === after[index]);
}
