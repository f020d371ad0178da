import { useSite } from '../site.ts';

/** How actions ended; told to screen readers, too. */
export function Notices() {
  const { notices } = useSite();
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text, isBad }) => (
        <p key={id} class={isBad ? 'notice bad' : 'notice'}>
          {text}
          <button
            type="button"
            class="icon"
            aria-label="Dismiss"
            onClick={() => (notices.value = notices.peek().filter((notice) => notice.id !== id))}
          >
            ✕
          </button>
        </p>
      ))}
    </div>
  );
}
