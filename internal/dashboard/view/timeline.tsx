import { momentText } from '../format.ts';
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

/** What happened lately, newest first. */
export function Timeline({ most, service = null }: { readonly most: number; readonly service?: string | null }) {
  const { store, filter } = useSite();
  const words = filter.value.trim().toLowerCase();
  const all = happeningsOf(store.events.value, store.alerts.value, words);
  const shown = all.filter((happening) => service === null || happening.service === service).slice(0, most);
  return (
    <Panel title="Timeline">
      <Happenings shown={shown} />
    </Panel>
  );
}

export function Happenings({ shown }: { readonly shown: readonly Happening[] }) {
  const { store } = useSite();
  if (shown.length === 0) return <p class="empty">Nothing happened lately.</p>;
  return (
    <ol class="timeline">
      {shown.map((happening) => (
        <Line key={happening.key} happening={happening} now={store.state.peek().at} />
      ))}
    </ol>
  );
}

function Line({ happening: { at, tone, kind, text }, now }: { happening: Happening; now: string }) {
  return (
    <li>
      <time dateTime={at}>{momentText(at, now)}</time>
      <Mark standing={{ word: kind, tone, shape: SHAPES[tone] }} />
      <span title={text}>
        <span class="kind">{kind}</span> {text}
      </span>
    </li>
  );
}
