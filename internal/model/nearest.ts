/** The candidate that `word` was most likely meant to be; undefined when none is close. Upper and lower case count as equal. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return candidates
    .filter((candidate) => Math.abs(candidate.length - word.length) <= slips(candidate)) // keeps long words cheap
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter((entry) => entry.distance <= slips(entry.candidate))
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** How many slips of the fingers a word of this length may have. */
function slips({ length }: string): number {
  return Math.max(1, Math.floor(length / 3));
}

/** Optimal string alignment: a letter inserted, deleted or replaced, or two neighbours swapped, counts one. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
