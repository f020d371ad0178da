import { effect, untracked, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { LogLine } from '../../model/log-line.ts';
import { printable } from '../../model/printable.ts';
import { useSite } from '../site.ts';

/** Older lines are no longer shown. */
const KEPT_LINES = 1_000;
const FIRST_LINES = 200;
/** Lines that come at once are drawn at once; milliseconds. */
const DRAW_MS = 100;

interface NumberedLine extends LogLine {
  readonly number: number;
}

/** What an instance writes, as it writes it. */
export function LogTail({ id }: { readonly id: string }) {
  const lines = useSignal<readonly NumberedLine[]>([]);
  const note = useSignal('');
  const isPaused = useSignal(false);
  const filter = useSignal('');
  const box = useRef<HTMLDivElement>(null);
  useLogLines(id, lines, note, isPaused);
  const words = filter.value.toLowerCase();
  const shown = lines.value.filter(({ text }) => text.toLowerCase().includes(words));
  useEffect(() => {
    if (!isPaused.peek() && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);
  return (
    <section class="log" aria-label={`Log of ${id}`}>
      <div class="log-head">
        <h3>Log</h3>
        <input
          type="search"
          placeholder="Filter lines"
          aria-label="Filter lines of the log"
          value={filter.value}
          onInput={(event) => (filter.value = event.currentTarget.value)}
        />
        <button type="button" aria-pressed={isPaused.value} onClick={() => (isPaused.value = !isPaused.value)}>
          {isPaused.value ? 'Go on' : 'Pause'}
        </button>
      </div>
      {/* biome-ignore lint: a region that scrolls must be reachable by keyboard */}
      <div ref={box} class="log-lines" tabIndex={0} role="log" aria-live="off">
        {shown.map(({ number, stream, text }) => (
          <div key={number} class={stream}>
            {text}
          </div>
        ))}
        {shown.length === 0 && (
          <div class="faint">{lines.value.length === 0 ? 'Nothing was written yet.' : 'No line holds that.'}</div>
        )}
        {note.value !== '' && <div class="faint">{note.value}</div>}
      </div>
    </section>
  );
}

interface Setter<T> {
  value: T;
  peek(): T;
}

/** Follows the log for as long as it is shown and the manager is there; while paused, lines are kept back. */
function useLogLines(
  id: string,
  lines: Setter<readonly NumberedLine[]>,
  note: Setter<string>,
  isPaused: Setter<boolean>,
): void {
  const { client, feed } = useSite();
  useEffect(() => {
    let number = 0;
    let fresh: NumberedLine[] = [];
    let isAnew = true; // what comes next begins with lines that are shown already
    const timer = setInterval(() => {
      if (fresh.length === 0 || isPaused.peek()) return;
      lines.value = [...(isAnew ? [] : lines.peek()), ...fresh].slice(-KEPT_LINES);
      fresh = [];
      isAnew = false;
    }, DRAW_MS);
    const follow = async (signal: AbortSignal) => {
      for await (const line of client().servers.followLogs(id, { lines: FIRST_LINES, signal })) {
        number += 1;
        fresh.push({ ...line, text: printable(line.text), number });
        if (fresh.length > KEPT_LINES) fresh.shift();
      }
      if (!signal.aborted) note.value = 'The log ends here: the instance is gone, or the manager stops.';
    };
    lines.value = [];
    const stop = effect(() => {
      if (feed.connection.value !== 'open') {
        note.value = 'The manager is away; the log goes on when it is back.';
        return undefined;
      }
      const ended = new AbortController();
      note.value = '';
      fresh = [];
      isAnew = true;
      untracked(() => follow(ended.signal)).catch((error: unknown) => {
        if (!ended.signal.aborted)
          note.value = `The log cannot be followed: ${error instanceof Error ? error.message : String(error)}`;
      });
      return () => ended.abort();
    });
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [id]);
}
