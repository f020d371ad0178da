import { isAlive, type ProxyRecord } from '../../../../internal/registry/registry.ts';
import { NEWEST_SCHEMA, type RegistryFile } from '../../../../internal/registry/sqlite/registry-file.ts';
import { contentText } from '../../backup.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

/** A clock that is off by less is none that jumped, in milliseconds. */
const SLACK_MS = 5_000;
const ABOUT = 'registry';
/** How a flaw begins that may be none of the file's. */
export const UNREADABLE = 'cannot be read';

/**
 * Whether the registry is sound, and in step.
 * @param file - null: there is none.
 * @param isRunning - whether a heimdall answers.
 */
export function checkRegistry(
  path: string,
  file: RegistryFile | null,
  isRunning: boolean,
  machine: Machine,
): Finding[] {
  if (file === null && isRunning) {
    const message = `there is none at ${path}: the heimdall that answers has lost it, or uses another one`;
    const advice = 'stop it and bring back a copy: heimdall restore FILE; or restart it to begin with an empty one';
    return [{ level: 'broken', about: ABOUT, message, advice }];
  }
  if (file === null) return [well(ABOUT, `${path}: none yet, made at the first start`)];
  if (file.flaw !== null || file.content === null || file.users === null) {
    const message = `${path}: it ${file.flaw}`;
    const advice = file.flaw?.startsWith(UNREADABLE)
      ? 'run this as the user that heimdall runs as, who may read the file and write into its folder'
      : 'stop heimdall and bring back a copy: heimdall restore FILE; or move it away to begin with an empty one';
    return [{ level: 'broken', about: ABOUT, message, advice }];
  }
  const { content, users } = file;
  const older =
    content.schema < NEWEST_SCHEMA ? '; made by an older heimdall, brought up to date at the next start' : '';
  const findings: Finding[] = [well(ABOUT, `sound, ${contentText(content)}${older}`)];
  const now = machine.now();
  findings.push(...stragglers(content.revision, users.proxies, now));
  const latest = Math.max(
    file.lastEventAt ?? 0,
    users.manager?.heartbeatAt ?? 0,
    ...users.proxies.map(({ heartbeatAt }) => heartbeatAt),
  );
  if (latest > now + SLACK_MS) {
    const message = `it knows of something ${Math.round((latest - now) / 1_000)} s from now: the clock was set back`;
    const advice = 'set the clock right (timedatectl); until then heartbeats and certificates cannot be trusted';
    findings.push({ level: 'warning', about: 'clock', message, advice });
  }
  return findings;
}

/** Load balancers that have not applied what is to be. @param now - epoch milliseconds. */
export function stragglers(
  revision: number,
  proxies: readonly Omit<ProxyRecord, 'inFlight'>[],
  now: number,
): Finding[] {
  return proxies.flatMap((proxy) => {
    const behind = revision - (proxy.appliedRevision ?? 0);
    if (!isAlive(proxy, now) || behind <= 0) return [];
    const message = `load balancer ${proxy.id} (pid ${proxy.pid}) is ${behind} revisions behind`;
    const advice = 'its log says what keeps it; heimdall reload --only proxy';
    return [{ level: 'warning', about: ABOUT, message, advice }];
  });
}
