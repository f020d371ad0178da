import { clockText } from '../format.ts';
import { Mark } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import type { Shape, Tone } from '../standing.ts';
import { type Happening, happeningsOf } from './happenings.ts';

const SHAPES: Readonly<Record<Tone, Shape>> = {
  good: 'disc',
  bad: 'cross',
  warn: 'triangle',
  busy: 'turn',
  idle: 'ring',
};

/** What happened, newest first. */
export function Timeline({ most, service = null }: { readonly most: number; readonly service?: string | null }) {
  const { store, filter } = useSite();
  const words = filter.value.trim().toLowerCase();
  const all = happeningsOf(store.events.value, store.alerts.value, words);
  const shown = all.filter((happening) => service === null || happening.service === service).slice(0, most);
  return (
    <Panel title="Timeline">
      {shown.length === 0 && <p class="empty">Nothing happened lately.</p>}
      <ol class="timeline">
        {shown.map((happening) => (
          <Line key={happening.key} happening={happening} />
        ))}
      </ol>
    </Panel>
  );
}

function Line({ happening: { at, tone, kind, text } }: { happening: Happening }) {
  return (
    <li>
      <time dateTime={at}>{clockText(at)}</time>
      <Mark standing={{ word: kind, tone, shape: SHAPES[tone] }} />
      <span title={text}>
        <span class="kind">{kind}</span> {text}
      </span>
    </li>
  );
}
