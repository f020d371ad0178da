export const LIFECYCLES = ['starting', 'ready', 'draining', 'stopped', 'backing-off', 'failed'] as const;
/** Owned by the manager. What the data plane sees of an instance is `Health`, another fact with another owner. */
export type Lifecycle = (typeof LIFECYCLES)[number];

export const STATUSES = ['starting', 'running', 'draining', 'error', 'stopped'] as const;
/** The lifecycle as the API names it. */
export type Status = (typeof STATUSES)[number];

const NEXT: Readonly<Record<Lifecycle, readonly Lifecycle[]>> = {
  starting: ['ready', 'backing-off', 'failed', 'draining'],
  ready: ['draining', 'backing-off', 'failed'],
  draining: ['stopped'],
  stopped: [],
  'backing-off': ['starting', 'failed', 'draining'],
  failed: ['starting', 'draining'],
};

const STATUS: Readonly<Record<Lifecycle, Status>> = {
  starting: 'starting',
  ready: 'running',
  draining: 'draining',
  stopped: 'stopped',
  'backing-off': 'error',
  failed: 'error',
};

export function mayFollow(from: Lifecycle, to: Lifecycle): boolean {
  return from === to || NEXT[from].includes(to);
}

export function statusOf(lifecycle: Lifecycle): Status {
  return STATUS[lifecycle];
}
