import type { AlertView, SilenceView } from '../../model/alert-view.ts';
import { printable } from '../../model/printable.ts';
import { acknowledgeAlert, endSilence, matchText, silenceAlert, testChannels } from '../action/alert-actions.ts';
import { clockText, spanText } from '../format.ts';
import { Mark } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import { severityOf } from '../standing.ts';

/** What is wrong now, and of what nobody is told. */
export function AlertsPanel({ service = null }: { readonly service?: string | null }) {
  const { store, action } = useSite();
  const alerts = store.activeAlerts.value.filter((alert) => service === null || alert.service === service);
  const silences = store.silences.value;
  return (
    <Panel
      title={<>Alerts {alerts.length > 0 && <span class="badge bad">{alerts.length}</span>}</>}
      aside={
        service === null ? (
          <button type="button" class="choice" onClick={() => (action.value = testChannels())}>
            Test the channels
          </button>
        ) : undefined
      }
    >
      {alerts.length === 0 && <p class="empty">All is well.</p>}
      <ul class="alerts">
        {alerts.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </ul>
      {silences.length > 0 && (
        <ul class="silences" aria-label="Silences">
          {silences.map((silence) => (
            <SilenceItem key={silence.id} silence={silence} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function AlertItem({ alert }: { alert: AlertView }) {
  const { store, action, session } = useSite();
  const lasted = spanText(Date.parse(store.state.value.at) - Date.parse(alert.since));
  const actor = () => session.actor.peek() ?? '';
  return (
    <li class={`alert tone-${severityOf(alert).tone}`}>
      <Mark standing={severityOf(alert)} isAlone />
      <div>
        <p class="alert-title">{printable(alert.title)}</p>
        {alert.cause !== null && <p class="cause">{printable(alert.cause)}</p>}
        <p class="faint">
          for {lasted}
          {alert.node !== null && ` · node ${printable(alert.node)}`}
          {alert.silenced && ' · silenced'}
          {alert.acknowledged !== null && ` · acknowledged by ${printable(alert.acknowledged.by)}`}
        </p>
      </div>
      <div class="buttons">
        {alert.acknowledged === null && (
          <button type="button" onClick={() => (action.value = acknowledgeAlert(alert, actor))}>
            Acknowledge
          </button>
        )}
        {!alert.silenced && (
          <button type="button" onClick={() => (action.value = silenceAlert(alert, actor))}>
            Silence
          </button>
        )}
      </div>
    </li>
  );
}

function SilenceItem({ silence }: { silence: SilenceView }) {
  const { action } = useSite();
  return (
    <li>
      <span>
        Silence: {matchText(silence)} <span class="faint">until {clockText(silence.until)}</span>
      </span>
      <button type="button" onClick={() => (action.value = endSilence(silence))}>
        End
      </button>
    </li>
  );
}
