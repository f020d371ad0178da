import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Beyond the edge of the window, so that what is scrolled to is there already. */
const MARGIN = '120px';

/** Whether an element can be seen, or is about to be. */
export function useOnScreen(element: RefObject<Element | null>): ReadonlySignal<boolean> {
  const isSeen = useSignal(false);
  useEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        isSeen.value = entries.at(-1)?.isIntersecting ?? false;
      },
      { rootMargin: MARGIN },
    );
    if (element.current !== null) watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return isSeen;
}
