import type { Bench } from '../bench.ts';
import { parseWrkOutput, REPORT_LUA, type WrkReport } from './wrk-report.ts';

/** What the clients ask for. */
export interface Load {
  readonly connections: number;
  readonly path: string;
  /** Lua that sets what is sent, such as `wrk.method`. */
  readonly script?: string;
}

/**
 * Closed-loop load on a port of 127.0.0.1: every connection asks again as soon as it is answered.
 * @throws {Error} when any request failed.
 */
export async function runWrk(
  { workshop, plan }: Bench,
  port: number,
  { connections, path, script = '' }: Load,
  seconds: number,
): Promise<WrkReport> {
  const lua = await workshop.file(`load-${port}.lua`, script + REPORT_LUA);
  const url = `http://127.0.0.1:${port}${path}`;
  const args = [`-t${plan.loadThreads}`, `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', lua, url];
  const wrk = await workshop.spawn(['wrk', ...args], { cores: plan.load });
  await wrk.ended;
  workshop.signal.throwIfAborted();
  return parseWrkOutput(wrk.output);
}
