import type { AlertView, SilenceView } from '../../model/alert-view.ts';
import { plural } from '../format.ts';
import type { Action } from './action.ts';
import { optionalText } from './input.ts';

const COMMENT = { name: 'comment', label: 'Comment', kind: 'text', value: '' } as const;

/** @param actor - who says so, asked when it is said; empty: did not say. */
export function acknowledgeAlert({ id, title }: AlertView, actor: () => string): Action {
  return {
    title: 'Acknowledge the alert',
    verb: 'Acknowledge',
    fields: [COMMENT],
    meaning: () => `“${title}”: nobody is told of it again, only of its end.`,
    run: async ({ alerts }, { comment }) => {
      await alerts.ack(id, { by: optionalText(actor()), comment: optionalText(comment) });
      return { said: 'The alert is acknowledged.' };
    },
  };
}

export function silenceAlert({ key, title, service, instance }: AlertView, actor: () => string): Action {
  const scopes = [
    { value: 'key', label: 'this trouble' },
    ...(instance === null ? [] : [{ value: 'instance', label: `everything about ${instance}` }]),
    ...(service === null ? [] : [{ value: 'service', label: `everything about ${service}` }]),
  ];
  const matches: Readonly<Record<string, { key?: string; instance?: string; service?: string }>> = {
    key: { key },
    ...(instance === null ? {} : { instance: { instance } }),
    ...(service === null ? {} : { service: { service } }),
  };
  return {
    title: 'Silence alerts',
    verb: 'Silence',
    fields: [
      { name: 'scope', label: 'What', kind: 'choice', value: 'key', options: scopes },
      {
        name: 'for',
        label: 'For how long',
        kind: 'choice',
        value: '1h',
        options: ['15m', '1h', '4h', '24h', '7d'].map((value) => ({ value, label: value })),
      },
      COMMENT,
    ],
    meaning: () => `“${title}”: nobody is told for that time. What outlasts it is told when it ends.`,
    run: async ({ alerts }, values) => {
      const match = matches[values['scope'] ?? ''] ?? { key };
      const comment = optionalText(values['comment']);
      await alerts.silence({ match, for: values['for'], by: optionalText(actor()), comment });
      return { said: `Silenced for ${values['for']}.` };
    },
  };
}

export function endSilence(silence: SilenceView): Action {
  return {
    title: 'End the silence',
    verb: 'End it',
    fields: [],
    meaning: () => `People are told again of alerts about ${matchText(silence)}.`,
    run: async ({ alerts }) => {
      await alerts.endSilence(silence.id);
      return { said: 'The silence has ended.' };
    },
  };
}

/** Tells whether alerts reach people. */
export function testChannels(): Action {
  return {
    title: 'Test the alert channels',
    verb: 'Send',
    fields: [],
    meaning: () => 'Every channel is sent one trial alert, and it is told which of them took it.',
    run: async ({ alerts }) => {
      const results = await alerts.test();
      const failures = results
        .filter(({ ok }) => !ok)
        .map(({ channel, error }) => `${channel}: ${error ?? 'it failed'}`);
      if (failures.length > 0) throw new Error(`Not delivered. ${failures.join('. ')}`);
      return { said: `${plural(results.length, 'channel')} took the trial alert.` };
    },
  };
}

/** What a silence is about: `service web, severity warning`. */
export function matchText({ match }: SilenceView): string {
  return Object.entries(match)
    .map(([what, value]) => `${what} ${value}`)
    .join(', ');
}
