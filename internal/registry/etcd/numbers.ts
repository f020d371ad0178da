/** More than one commit can write. */
const PER_REVISION = 1_000;

/**
 * Numbers what was written: later is greater.
 * @param revision - in which it was written.
 * @param place - among what was written in the same commit.
 */
export function numberOf(revision: number, place: number): number {
  return revision * PER_REVISION + place;
}
