import type { BackendPlan, Behaviour, Scenario } from './scenario.ts';

/** A backend that is well: 10 ms in the median, 31 ms for one request in a hundred. */
const WELL: Behaviour = { from: 0, median: 10, spread: 0.5 };
const SLOW: Behaviour = { ...WELL, median: 100 };

function backend(id: string, changes: Partial<BackendPlan> = {}): BackendPlan {
  return { id, weight: 1, workers: 8, joinsAt: 0, behaviours: [WELL], ...changes };
}

const [A, B, C] = [backend('a'), backend('b'), backend('c')];

/** What every algorithm can carry: even the slow one is never given more than it can do by its fair share. */
const RATE = 240;
const MEASURED = { from: 5_000, to: 35_000 };

/** What goes wrong most often in a pool, one thing at a time. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'slow',
    title: 'one of four is 10 times slower',
    rate: RATE,
    measured: MEASURED,
    backends: [A, B, C, backend('d', { behaviours: [SLOW] })],
    watch: { backend: 'd', span: MEASURED, returns: false },
  },
  {
    name: 'stalls',
    title: 'one of four stalls for 1 s with one request in twenty',
    rate: RATE,
    measured: MEASURED,
    backends: [A, B, C, backend('d', { behaviours: [{ ...WELL, stalls: { share: 0.05, ms: 1_000 } }] })],
    watch: { backend: 'd', span: MEASURED, returns: false },
  },
  {
    name: 'fast-failures',
    title: 'one of four answers 500 within a millisecond',
    rate: RATE,
    measured: MEASURED,
    backends: [A, B, C, backend('d', { behaviours: [{ ...WELL, median: 0.5, status: 500 }] })],
    watch: { backend: 'd', span: MEASURED, returns: false },
  },
  {
    name: 'newcomer',
    title: 'a fourth one joins, and is cold: 10 times slower at first, warm after 10 s',
    rate: RATE,
    measured: { from: 10_000, to: 30_000 },
    backends: [A, B, C, backend('d', { joinsAt: 10_000, behaviours: warmingUp(10_000) })],
    watch: { backend: 'd', span: { from: 10_000, to: 20_000 }, returns: false },
  },
  {
    name: 'weights',
    title: 'weights 4, 2, 1, 1, for machines that are as many times as fast',
    rate: 1_400,
    measured: { from: 2_000, to: 8_000 },
    backends: [
      backend('a', { weight: 4, behaviours: [{ ...WELL, median: 5 }] }),
      backend('b', { weight: 2 }),
      backend('c', { behaviours: [{ ...WELL, median: 20 }] }),
      backend('d', { behaviours: [{ ...WELL, median: 20 }] }),
    ],
    watch: { backend: 'a', span: { from: 2_000, to: 8_000 }, returns: false },
  },
  {
    name: 'recovery',
    title: 'one of four is 10 times slower from 10 s to 25 s, and then as before',
    rate: RATE,
    measured: { from: 5_000, to: 45_000 },
    backends: [A, B, C, backend('d', { behaviours: [WELL, { ...SLOW, from: 10_000 }, { ...WELL, from: 25_000 }] })],
    watch: { backend: 'd', span: { from: 25_000, to: 45_000 }, returns: true },
  },
  {
    name: 'calm',
    title: 'nothing is wrong, and four equal ones are busy for seven eighths of the time',
    rate: 2_500,
    measured: { from: 2_000, to: 6_000 },
    backends: [A, B, C, backend('d')],
    watch: { backend: 'd', span: { from: 2_000, to: 6_000 }, returns: false },
  },
];

function warmingUp(from: number): BackendPlan['behaviours'] {
  const after = (ms: number, median: number): Behaviour => ({ ...WELL, from: from + ms, median });
  return [{ ...WELL, median: 100 }, after(2_500, 60), after(5_000, 30), after(7_500, 20), after(10_000, 10)];
}
