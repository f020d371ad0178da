/** Milliseconds as people say them, in the two largest units: `0.8 s`, `2 min 5 s`, `3 h 4 min`, `2 d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(Math.max(0, milliseconds) / 1_000).toFixed(1).replace('.0', '')} s`;
  const seconds = Math.round(milliseconds / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const told = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** What is wrong, and where if there are several nodes. */
export function placedTitle({
  title,
  node,
}: {
  readonly title: string;
  readonly node?: string | null | undefined;
}): string {
  return !node || title.includes(`node ${node}`) ? title : `${title} on node ${node}`;
}

/** Cuts a text to at most `length` UTF-16 units, never through a character; an ellipsis marks the cut. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
