import { useSignal, useSignalEffect } from '@preact/signals';
import type { LiveService } from '../../model/live.ts';
import type { ServiceDetailsView } from '../../model/service-view.ts';
import { detailsKey } from '../live/details-key.ts';
import { useSite } from '../site.ts';

/** What the live stream does not tell of a service. Asked for when it is shown, and anew when it may have changed. */
export function useServiceDetails(service: LiveService): ServiceDetailsView | null {
  const { client, store } = useSite();
  const details = useSignal<ServiceDetailsView | null>(null);
  const wanted = useSignal('');
  wanted.value = detailsKey(service, store.events.value, store.deployments.value);
  useSignalEffect(() => {
    const ended = new AbortController();
    void wanted.value;
    client()
      .services.get(service.name, { signal: ended.signal })
      .then((found) => (details.value = found))
      .catch(() => {}); // the live stream shows that the manager is away
    return () => ended.abort();
  });
  return details.value;
}
