import { z } from 'zod';
import { SilenceMatchSchema } from '../../pkg/alerts/book.ts';
import { AlertViewSchema, RuleViewSchema, SilenceViewSchema, TestResultViewSchema } from '../model/alert-view.ts';
import { RemarkBodySchema } from '../model/request-bodies.ts';
import { duration } from '../model/units.ts';
import { ServiceNameSchema } from '../model/service.ts';
import { alertView, silenceView } from '../server/alert-views.ts';
import { type Description, json } from './description.ts';
import { differencesOf } from './differences.ts';
import { type Endpoint, endpoint, NoInput, Nothing } from './endpoint.ts';
import { ALERT, RULE, SILENCE, TEST_RESULT } from './examples.ts';
import { invalid, pathNumber, wholeNumberText } from './input.ts';
import type { Alerts } from './manager.ts';
import { sendProblem } from './problem.ts';
import { sendJson } from './respond.ts';

/** The longest silence, in milliseconds: what is to last longer belongs in the configuration. */
const LONGEST_SILENCE_MS = 90 * 86_400_000;
const UNTIL_EXPECTED = 'expected a time in ISO 8601 with its zone, such as "2026-12-24T18:00:00Z"';

const AlertsQuerySchema = z.strictObject({
  limit: wholeNumberText(1, 1_000).default(100).describe('At most so many.'),
  state: z
    .enum(['active', 'resolved'], { error: 'expected active or resolved' })
    .exactOptional()
    .describe('Default: both.'),
  service: ServiceNameSchema.exactOptional().describe('Only those of this service.'),
});
const SilenceBodySchema = RemarkBodySchema.extend({
  match: SilenceMatchSchema.describe('At least one of them.'),
  for: duration().exactOptional().describe('A duration, such as `2h`.'),
  until: z.iso
    .datetime({ offset: true, error: UNTIL_EXPECTED })
    .exactOptional()
    .describe('A time with its zone, such as `2026-12-24T18:00:00Z`.'),
});

const LIST = {
  tag: 'alerts',
  summary: 'List alerts, newest first',
  query: AlertsQuerySchema,
  body: Nothing,
  answers: { 200: json('the alerts', z.array(AlertViewSchema), [ALERT]) },
  examples: [{ query: 'state=active' }],
} as const satisfies Description;

const ACKNOWLEDGE = {
  tag: 'alerts',
  summary: 'Say that somebody knows of an alert',
  details: 'It is not repeated any more; only its end is told.',
  id: {
    name: 'alert',
    what: 'the id or the key of an active alert; in a key write / as %2F, % as %25',
    schema: z.string(),
  },
  query: Nothing,
  body: RemarkBodySchema,
  answers: {
    200: json('the alert', AlertViewSchema, {
      ...ALERT,
      acknowledged: { at: SILENCE.createdAt, by: 'ann', comment: 'on it' },
    }),
  },
  problems: ['ALERT_NOT_FOUND'],
  examples: [{ id: '1', body: { by: 'ann', comment: 'on it' } }],
} as const satisfies Description;

const LIST_SILENCES = {
  tag: 'alerts',
  summary: 'List the silences in force',
  ...NoInput,
  answers: { 200: json('the silences, oldest first', z.array(SilenceViewSchema), [SILENCE]) },
  examples: [{}],
} as const satisfies Description;

const SILENCE_ALERTS = {
  tag: 'alerts',
  summary: 'Silence alerts for a time',
  details: 'Nobody is told of alerts that agree with all of `match`. Give either `for` or `until`, within 90 days.',
  query: Nothing,
  body: SilenceBodySchema,
  answers: { 201: json('the silence', SilenceViewSchema, SILENCE) },
  examples: [{ body: { match: { service: 'web' }, for: '2h', comment: 'moving' } }],
} as const satisfies Description;

const END_SILENCE = {
  tag: 'alerts',
  summary: 'End a silence',
  id: { name: 'id', what: 'the number of the silence', schema: z.int().min(1) },
  ...NoInput,
  answers: { 200: json('the silence that has ended', SilenceViewSchema, SILENCE) },
  problems: ['SILENCE_NOT_FOUND'],
  examples: [{ id: '1' }],
} as const satisfies Description;

const RULES = {
  tag: 'alerts',
  summary: 'Tell how the rules stand that the manager watches',
  details:
    'Those about restarts, certificates and disks; those about traffic are told by the load balancer, at /rules of its admin port.',
  ...NoInput,
  answers: { 200: json('one entry for each subject of each rule', z.array(RuleViewSchema), [RULE]) },
  examples: [{}],
} as const satisfies Description;

const TEST = {
  tag: 'alerts',
  summary: 'Send a trial alert to every channel',
  ...NoInput,
  answers: { 200: json('how each channel fared, also when some failed', z.array(TestResultViewSchema), [TEST_RESULT]) },
  problems: ['NO_ALERT_CHANNEL'],
  examples: [{}],
} as const satisfies Description;

/** `/alerts/*`: the history of alerts, and what people say of them. */
export function alertEndpoints(alerts: Alerts, now: () => number = Date.now): Endpoint[] {
  const { book } = alerts;
  return [
    endpoint('GET', '/alerts', LIST, async ({ query }, response) => {
      const [records, silences] = await Promise.all([book.alerts(query), book.silences()]);
      sendJson(
        response,
        records.map((record) => alertView(record, silences, now())),
      );
    }),
    endpoint('POST', '/alerts/:id/ack', ACKNOWLEDGE, async (input, response) => {
      const record = await book.acknowledge(input.id, { at: now(), ...input.body });
      const { title, service, instance } = record.alert;
      const subject = service === undefined ? null : { service, id: instance ?? null };
      input.deed.did(
        `acknowledged "${title}"`,
        subject,
        differencesOf({}, { acknowledgement: record.acknowledgement }),
      );
      sendJson(response, alertView(record, await book.silences(), now()));
    }),
    endpoint('GET', '/alerts/silences', LIST_SILENCES, async (_input, response) => {
      sendJson(response, (await book.silences()).map(silenceView));
    }),
    endpoint('POST', '/alerts/silences', SILENCE_ALERTS, async ({ body, deed }, response) => {
      const { match, by, comment } = body;
      const createdAt = now();
      const silence = await book.addSilence({ match, createdAt, until: endOf(body, createdAt), by, comment });
      const view = silenceView(silence);
      deed.did(`silenced alerts until ${view.until} (silence ${view.id})`, null, differencesOf({}, view));
      response.status(201).location(`/alerts/silences/${silence.id}`);
      sendJson(response, view);
    }),
    endpoint('DELETE', '/alerts/silences/:id', END_SILENCE, async ({ id, deed }, response) => {
      const view = silenceView(await book.removeSilence(pathNumber('id', id)));
      deed.did(`ended silence ${view.id}`, null, differencesOf(view, {}));
      sendJson(response, view);
    }),
    endpoint('GET', '/alerts/rules', RULES, async (_input, response) => sendJson(response, alerts.rules())),
    testEndpoint(alerts),
  ];
}

/** `/alerts/test`: one trial alert to every channel; the status is 200 even when some fail, each result has its `ok`. */
function testEndpoint(alerts: Alerts): Endpoint {
  return endpoint('POST', '/alerts/test', TEST, async ({ deed }, response) => {
    const results = await alerts.test();
    if (results.length > 0) {
      deed.did('sent a trial alert');
      return sendJson(response, results);
    }
    sendProblem(
      response.req,
      response,
      'NO_ALERT_CHANNEL',
      'No alert channel is configured; add one under alerts.email or alerts.webhooks.',
    );
  });
}

/** @throws {HeimdallError} INVALID_REQUEST */
function endOf({ for: length, until }: z.output<typeof SilenceBodySchema>, now: number): number {
  if ((length === undefined) === (until === undefined)) {
    throw invalid('body', 'expected either "for", such as "2h", or "until"');
  }
  const end = until === undefined ? now + (length ?? 0) : Date.parse(until);
  if (end <= now) throw invalid('body.until', `expected a time to come, not ${until}`);
  if (end > now + LONGEST_SILENCE_MS) throw invalid('body.until', 'expected a time within 90 days');
  return end;
}
