import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { HeimdallApiError } from '../../client/client.ts';
import { Modal } from '../part/modal.tsx';
import { useSite } from '../site.ts';
import type { Action, Watch } from './action.ts';
import { FieldInput } from './field-input.tsx';
import { Progress } from './progress.tsx';

interface Trouble {
  readonly message: string;
  readonly logTail: readonly string[];
}

/** What the API takes for an actor. */
const LONGEST_NAME = 64;

type Stage = 'asking' | 'running' | 'watching';

/** Says what will happen, asks, and shows how it goes. Closing it while it runs stops nothing. */
export function ActionDialog({ action }: { readonly action: Action }) {
  const { action: current, client, tell, session } = useSite();
  const values = useSignal<Readonly<Record<string, string>>>(
    Object.fromEntries(action.fields.map(({ name, value }) => [name, value])),
  );
  const stage = useSignal<Stage>('asking');
  const watch = useSignal<Watch | null>(action.watch ?? null);
  const trouble = useSignal<Trouble | null>(null);
  const actor = useSignal('');
  const introduce = () => void (session.actor.value ??= actor.peek().trim().slice(0, LONGEST_NAME));
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
      if (actor.peek().trim() !== '') introduce(); // who only looked is asked again
    },
    [],
  );
  const close = () => {
    if (current.peek() === action) current.value = null;
  };
  const run = async () => {
    stage.value = 'running';
    trouble.value = null;
    introduce(); // the record of this action shall have it
    try {
      const outcome = await action.run(client(), values.peek());
      tell(outcome.said);
      if (outcome.watch === undefined) return close();
      watch.value = outcome.watch;
      stage.value = 'watching';
    } catch (error) {
      trouble.value = troubleOf(error);
      stage.value = 'asking';
      if (!isOpen.current) tell(`${action.title}: ${trouble.value.message}`, true);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void run();
  };
  return (
    <Modal title={action.title} onClose={close}>
      <form onSubmit={submit}>
        {stage.value === 'asking' && (
          <>
            {action.fields.map((field) => (
              <FieldInput
                key={field.name}
                field={field}
                value={values.value[field.name] ?? ''}
                onInput={(value) => (values.value = { ...values.peek(), [field.name]: value })}
              />
            ))}
            <p class="meaning">{action.meaning(values.value)}</p>
            {session.actor.value === null && <ActorInput name={actor} />}
          </>
        )}
        {stage.value !== 'asking' && watch.value !== null && <Progress watch={watch.value} />}
        {stage.value === 'running' && <p class="working">Working…</p>}
        {trouble.value !== null && <TroubleText trouble={trouble.value} />}
        <Buttons stage={stage.value} action={action} close={close} />
      </form>
    </Modal>
  );
}

function Buttons({ stage, action, close }: { stage: Stage; action: Action; close: () => void }) {
  if (stage !== 'asking') {
    return (
      <div class="buttons end">
        <button type="button" onClick={close}>
          {stage === 'running' ? 'Close; it goes on' : 'Close'}
        </button>
      </div>
    );
  }
  return (
    <div class="buttons end">
      <button type="button" onClick={close} autoFocus={action.isDestructive}>
        Cancel
      </button>
      <button type="submit" class={action.isDestructive === true ? 'danger' : 'primary'}>
        {action.verb}
      </button>
    </div>
  );
}

/** Asked once; whoever leaves it empty is not asked again. */
function ActorInput({ name }: { name: Signal<string> }) {
  const field = {
    name: 'actor',
    label: 'Your name, for the record',
    kind: 'text',
    value: '',
    hint: 'Asked once, and not needed.',
  } as const;
  return <FieldInput field={field} value={name.value} onInput={(value) => (name.value = value)} />;
}

function TroubleText({ trouble: { message, logTail } }: { trouble: Trouble }) {
  return (
    <div role="alert">
      <p class="problem">{message}</p>
      {logTail.length > 0 && <pre class="log-tail">{logTail.join('\n')}</pre>}
    </div>
  );
}

function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error);
  return { message, logTail: error instanceof HeimdallApiError ? error.logTail : [] };
}
