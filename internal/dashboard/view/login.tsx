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
    const typed = token.peek().trim();
    if (!/^[\x21-\x7e]+$/.test(typed)) {
      session.demand.value = 'A token has only visible ASCII characters, without spaces.'; // no header could carry it
      return;
    }
    session.token.value = typed;
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
        <div class="field">
          <label for="token">Token</label>
          <input
            ref={input}
            id="token"
            type="password"
            autoComplete="current-password"
            required
            aria-describedby="token-hint"
            value={token.value}
            onInput={(event) => (token.value = event.currentTarget.value)}
          />
          <small id="token-hint">
            manager.token of the configuration, or HEIMDALL_TOKEN. Kept until this tab is closed.
          </small>
        </div>
        <button type="submit" class="primary">
          Log in
        </button>
      </form>
    </main>
  );
}
