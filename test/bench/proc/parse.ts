/**
 * The time on a CPU, in microseconds, from `/proc/<pid>/task/<tid>/schedstat`; null when the text is none.
 * Source: Documentation/scheduler/sched-stats.rst, the first field, in nanoseconds.
 */
export function parseSchedstat(text: string): number | null {
  const [, nanoseconds] = /^(\d+) \d+ \d+\s*$/.exec(text) ?? [];
  return nanoseconds === undefined ? null : Number(nanoseconds) / 1_000;
}

/**
 * User and system time in microseconds from `/proc/<pid>/stat`; null when the text is none.
 * @param ticksPerSecond - `getconf CLK_TCK`.
 */
export function parseStat(text: string, ticksPerSecond: number): number | null {
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? (ticks * 1_000_000) / ticksPerSecond : null;
}

/** The resident memory in bytes from `/proc/<pid>/status`; null when it tells none, as of a zombie. */
export function parseResidentBytes(status: string): number | null {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** How many files a process may hold open, from `/proc/<pid>/limits`. */
export function parseOpenFilesLimit(limits: string): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits) ?? [];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
