import type { Shape, Standing } from '../standing.ts';

const PATHS: Readonly<Record<Shape, string>> = {
  disc: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z',
  ring: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zM6 3.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5z',
  cross: 'M3 1.6L6 4.6L9 1.6L10.4 3L7.4 6L10.4 9L9 10.4L6 7.4L3 10.4L1.6 9L4.6 6L1.6 3z',
  triangle: 'M6 1.2L11.2 10.4H.8z',
  diamond: 'M6 .8L11.2 6L6 11.2L.8 6z',
  arrow: 'M4.7 1h2.6v5.2h2.9L6 11L1.8 6.2h2.9z',
  bars: 'M2.4 1.5h2.6v9H2.4zM7 1.5h2.6v9H7z',
  turn: 'M6 1.5a4.5 4.5 0 0 1 0 9z M6 1.5a4.5 4.5 0 1 0 0 9v-1.4a3.1 3.1 0 1 1 0-6.2z',
};

/** The shape and the colour of a state; its word stands beside it or is told to screen readers. */
export function Mark({ standing: { shape, tone, word }, isAlone = false }: { standing: Standing; isAlone?: boolean }) {
  return (
    <svg class={`mark tone-${tone}`} viewBox="0 0 12 12" role={isAlone ? 'img' : undefined} aria-hidden={!isAlone}>
      {isAlone && <title>{word}</title>}
      <path fill-rule="evenodd" d={PATHS[shape]} />
    </svg>
  );
}

/** A mark and its word. */
export function State({ standing }: { standing: Standing }) {
  return (
    <span class={`state tone-${standing.tone}`}>
      <Mark standing={standing} />
      {standing.word}
    </span>
  );
}
