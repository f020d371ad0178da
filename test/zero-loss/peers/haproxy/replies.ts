export interface Workers {
  /** Null as long as the master has none. */
  readonly current: number | null;
  /** Those that have been replaced, and still have connections. */
  readonly old: readonly number[];
}

/** What the master answers to `show proc`: pids, in paragraphs that begin with `# workers` and `# old workers`. */
export function workersIn(text: string): Workers {
  const pids: Record<string, number[]> = {};
  let paragraph = '';
  for (const line of text.split('\n')) {
    paragraph = /^# (.*)$/.exec(line)?.[1]?.trim() ?? paragraph;
    const pid = /^(\d+)\s+worker\b/.exec(line)?.[1];
    if (pid !== undefined) (pids[paragraph] ??= []).push(Number(pid));
  }
  return { current: pids['workers']?.[0] ?? null, old: pids['old workers'] ?? [] };
}

export interface ServerState {
  readonly status: string;
  /** Requests and WebSockets on it at present. */
  readonly sessions: number;
}

/** One server of the answer to `show stat`, which is a table with commas. @throws {Error} when it is not in there. */
export function serverIn(csv: string, service: string, server: string): ServerState {
  const [head = [], ...rows] = csv.split('\n').map((line) => line.split(','));
  const cells = rows.find((row) => row[0] === service && row[1] === server);
  const cell = (column: string) => cells?.[head.indexOf(column)];
  const status = cell('status');
  if (status === undefined) throw new Error(`there is no ${service}/${server}`);
  return { status, sessions: Number(cell('scur')) };
}
