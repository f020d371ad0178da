import type { LiveInstance } from '../../model/live.ts';
import { plural } from '../format.ts';
import { useSite } from '../site.ts';

interface DrainTextProps {
  readonly instance: LiveInstance;
  /** For a column of a table. */
  readonly isShort?: boolean;
}

/** The drain that counts down: requests in flight, and seconds left. Nothing when it does not drain. */
export function DrainText({ instance: { drain }, isShort = false }: DrainTextProps) {
  const { store } = useSite();
  if (drain === null) return null;
  const left = Math.max(0, Math.ceil((Date.parse(drain.until) - Date.parse(store.state.value.at)) / 1_000)); // by the manager's clock
  const text = `${plural(drain.inFlight, 'request')} in flight, ${left} s left`;
  return (
    <span class="cause" title={text}>
      {isShort ? `${drain.inFlight} open, ${left} s` : text}
    </span>
  );
}
