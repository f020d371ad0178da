import { dirname, join } from 'node:path';
import type { Config } from '../../../../internal/config/schema.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

const MIB = 1024 ** 2;
const SCARCE_BYTES = 1_024 * MIB;
const LACKING_BYTES = 50 * MIB;
/** Of a group, and of everybody. */
const OTHERS = 0o077;

/** Who may use the registry and the logs beside it, and whether there is room for them. */
export async function checkDataFolder({ registry }: Config, machine: Machine): Promise<Finding[]> {
  const folder = dirname(registry.path);
  const existing = await nearest(folder, machine);
  const about = 'data folder';
  const findings: Finding[] = [];
  for (const path of existing === folder ? [folder, join(folder, 'logs'), registry.path] : [existing]) {
    const facts = await machine.file(path);
    if (facts === null || (await machine.may('write', path))) continue;
    const message = `${path} belongs to user ${facts.uid} and cannot be written by user ${machine.uid}`;
    const advice = `run heimdall as that user, or chown -R ${machine.uid} ${folder}`;
    findings.push({ level: 'broken', about, message, advice });
  }
  const mode = (await machine.file(registry.path))?.mode ?? 0;
  if ((mode & OTHERS) !== 0) {
    const message = `${registry.path} holds environments and webhooks, and others may use it (mode ${mode.toString(8)})`;
    findings.push({ level: 'warning', about, message, advice: `chmod 600 ${registry.path}*` });
  }
  findings.push(...spaceIn(existing, await machine.freeBytes(existing)));
  return findings.some(({ level }) => level !== 'well')
    ? findings
    : [well(about, `${folder}, ${words(await machine.freeBytes(existing))} free`)];
}

function spaceIn(folder: string, free: number): Finding[] {
  if (free >= SCARCE_BYTES) return [];
  const level = free < LACKING_BYTES ? 'broken' : 'warning';
  const advice = `find what grows (du -xh ${folder} | sort -h | tail); output of instances is bounded by instanceLogs.total`;
  return [{ level, about: 'data folder', message: `only ${words(free)} free where ${folder} is`, advice }];
}

/** The folder, or the one above it in which it would be made. */
async function nearest(folder: string, machine: Machine): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    if ((await machine.file(path)) !== null || path === dirname(path)) return path;
  }
}

function words(bytes: number): string {
  return bytes < SCARCE_BYTES ? `${Math.round(bytes / MIB)} MiB` : `${(bytes / SCARCE_BYTES).toFixed(1)} GiB`;
}
