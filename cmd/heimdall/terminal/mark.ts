import type { Health } from '../../../internal/model/health.ts';
import type { Status } from '../../../internal/model/lifecycle.ts';
import type { Paint } from './paint.ts';

type Mood = 'well' | 'busy' | 'bad' | 'idle';

/** A sign beside each colour: not everybody sees colours, and not every terminal has them. */
const MARKS = {
  well: { sign: '●', style: 'green' },
  busy: { sign: '◐', style: 'yellow' },
  bad: { sign: '✖', style: 'red' },
  idle: { sign: '○', style: 'dim' },
} as const;

const STATUS_MOOD: Readonly<Record<Status, Mood>> = {
  starting: 'busy',
  running: 'well',
  draining: 'busy',
  error: 'bad',
  stopped: 'idle',
};
const HEALTH_MOOD: Readonly<Record<Health, Mood>> = {
  unknown: 'idle',
  healthy: 'well',
  unhealthy: 'bad',
  ejected: 'bad',
};

export function markedStatus(status: Status, paint: Paint): string {
  return marked(STATUS_MOOD[status], status, paint);
}

export function markedHealth(health: Health, paint: Paint): string {
  return marked(HEALTH_MOOD[health], health, paint);
}

export function marked(mood: Mood, text: string, paint: Paint): string {
  const { sign, style } = MARKS[mood];
  return paint(style, `${sign} ${text}`);
}
