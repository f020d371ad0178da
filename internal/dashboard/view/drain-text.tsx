import type { LiveInstance } from '../../model/live.ts';
import { plural } from '../format.ts';
import { useSite } from '../site.ts';

/** The drain that counts down: requests in flight, and seconds left. Nothing when it does not drain. */
export function DrainText({ instance: { drain } }: { readonly instance: LiveInstance }) {
  const { store } = useSite();
  if (drain === null) return null;
  return <span class="cause">{drainText(drain, store.state.value.at)}</span>;
}

/** @param now - ISO 8601, by the manager's clock. */
function drainText({ inFlight, until }: NonNullable<LiveInstance['drain']>, now: string): string {
  const requests = `${plural(inFlight, 'request')} in flight`;
  const left = Math.max(0, Math.ceil((Date.parse(until) - Date.parse(now)) / 1_000));
  return `${requests}, ${left} s left`;
}
