const ROUND = ['drain', 'weight', 'weight', 'remove', 'weight', 'add', 'weight', 'weight', 'ready', 'weight'] as const;
/** One that changes, and the next one: far apart, so that it takes long until the same comes again. */
const STRIDE = 0.381966;

/** A change of one instance, by its number among those that there are. */
export interface Change {
  readonly kind: (typeof ROUND)[number];
  readonly place: number;
}

/**
 * What changes in a storm, one after the other: of ten changes six are of weights; the others drain an instance, remove it, add one in its
 * place and make it ready. So there are as many in the end as in the beginning.
 * @param places - how many instances there are.
 */
export function* storm(places: number): Generator<Change> {
  const stride = coprime(Math.max(1, Math.round(places * STRIDE)), places);
  for (let leaving = 0; ; leaving = (leaving + stride) % places) {
    for (const [step, kind] of ROUND.entries()) {
      yield { kind, place: kind === 'weight' ? (leaving + (step + 1) * stride) % places : leaving };
    }
  }
}

function coprime(wanted: number, to: number): number {
  let candidate = wanted;
  while (divisor(candidate, to) > 1) candidate += 1;
  return candidate;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
