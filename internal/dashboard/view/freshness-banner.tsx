import { spanText } from '../format.ts';
import { useSite } from '../site.ts';

/** Says so when what is shown is not what is: nothing was heard for a while, or the manager cannot read the registry. */
export function FreshnessBanner() {
  const { feed, store } = useSite();
  const { kind, ageMs } = feed.freshness.value;
  if (kind === 'fresh' && store.isRegistryThere.value) return null;
  if (kind === 'loading' && feed.connection.value !== 'lost') return null;
  return (
    <div class="banner" role="status">
      {kind === 'fresh' &&
        'The manager cannot read the registry at present. What is shown is what was known last; traffic goes on.'}
      {kind === 'stale' && `Nothing was heard of the manager for ${spanText(ageMs)}. What is shown is stale. `}
      {kind !== 'fresh' && feed.connection.value === 'lost' && `Connecting again: ${feed.trouble.value}`}
    </div>
  );
}
