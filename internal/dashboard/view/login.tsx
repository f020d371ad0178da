import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useSite } from '../site.ts';

/** Asks for the token that the manager wants. */
export function Login({ demand }: { readonly demand: string }) {
  const { session, feed } = useSite();
  const token = useSignal('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    session.token.value = token.peek().trim();
    session.demand.value = null;
    feed.restart();
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>heimdall</h1>
        {demand !== '' && (
          <p class="problem" role="alert">
            {demand}
          </p>
        )}
        <label class="field">
          <span>Token</span>
          <input
            ref={input}
            type="password"
            autoComplete="current-password"
            required
            value={token.value}
            onInput={(event) => (token.value = event.currentTarget.value)}
          />
          <small>manager.token of the configuration, or HEIMDALL_TOKEN. Kept until this tab is closed.</small>
        </label>
        <button type="submit" class="primary">
          Log in
        </button>
      </form>
    </main>
  );
}
