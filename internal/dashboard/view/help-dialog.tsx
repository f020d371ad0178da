import { useSignal } from '@preact/signals';
import { FieldInput } from '../action/field-input.tsx';
import { Modal } from '../part/modal.tsx';
import { useSite } from '../site.ts';
import { healthOf, lifecycleOf } from '../standing.ts';
import { State } from '../part/mark.tsx';

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'filter'],
  ['j  k  or  ↓  ↑', 'next, previous row'],
  ['Enter', 'open the row'],
  ['1  2  3', 'overview, instances, activity'],
  ['Esc', 'close, or leave the filter'],
  ['?', 'this help'],
];
/** What the API takes for an actor. */
const LONGEST_NAME = 64;
const STATUSES = ['starting', 'running', 'draining', 'error', 'stopped'] as const;
const HEALTHS = ['healthy', 'unhealthy', 'ejected', 'unknown'] as const;

const ACTOR = { name: 'actor', label: 'Your name, for the record of what you do', kind: 'text', value: '' } as const;

export function HelpDialog() {
  const { isHelpOpen, session, store } = useSite();
  const actor = useSignal(session.actor.peek() ?? '');
  const close = () => {
    if (actor.peek().trim() !== (session.actor.peek() ?? ''))
      session.actor.value = actor.peek().trim().slice(0, LONGEST_NAME);
    isHelpOpen.value = false;
  };
  return (
    <Modal title="Keyboard and help" onClose={close}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="legend">
        <span class="faint">The manager’s word:</span>{' '}
        {STATUSES.map((status) => (
          <State key={status} standing={lifecycleOf({ status })} />
        ))}
      </p>
      <p class="legend">
        <span class="faint">The load balancers’:</span>{' '}
        {HEALTHS.map((health) => (
          <State key={health} standing={healthOf({ health })} />
        ))}
      </p>
      <FieldInput field={ACTOR} value={actor.value} onInput={(value) => (actor.value = value)} />
      <div class="buttons end">
        <span class="faint">heimdall {store.state.value.version}</span>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Modal>
  );
}
