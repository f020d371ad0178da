import { z } from 'zod';
import { SilenceMatchSchema } from '../../pkg/alerts/book.ts';
import { RemarkBodySchema } from '../model/request-bodies.ts';
import { duration } from '../model/units.ts';
import { ServiceNameSchema } from '../model/service.ts';
import { alertView, silenceView } from '../server/alert-views.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { invalid, pathNumber, wholeNumberText } from './input.ts';
import type { Alerts } from './manager.ts';
import { sendProblem } from './problem.ts';
import { sendJson } from './respond.ts';

/** The longest silence, in milliseconds: what is to last longer belongs in the configuration. */
const LONGEST_SILENCE_MS = 90 * 86_400_000;
const UNTIL_EXPECTED = 'expected a time in ISO 8601 with its zone, such as "2026-12-24T18:00:00Z"';

const AlertsQuerySchema = z.strictObject({
  limit: wholeNumberText(1, 1_000).default(100),
  state: z.enum(['active', 'resolved'], { error: 'expected active or resolved' }).exactOptional(),
  service: ServiceNameSchema.exactOptional(),
});
const SilenceBodySchema = RemarkBodySchema.extend({
  match: SilenceMatchSchema,
  for: duration().exactOptional(),
  until: z.iso.datetime({ offset: true, error: UNTIL_EXPECTED }).exactOptional(),
});

/** `/alerts/*`: the history of alerts, and what people say of them. */
export function alertEndpoints(alerts: Alerts, now: () => number = Date.now): Endpoint[] {
  const { book } = alerts;
  const nothing = { query: Nothing, body: Nothing };
  return [
    endpoint('GET', '/alerts', { query: AlertsQuerySchema, body: Nothing }, async ({ query }, response) => {
      const [records, silences] = await Promise.all([book.alerts(query), book.silences()]);
      sendJson(
        response,
        records.map((record) => alertView(record, silences, now())),
      );
    }),
    endpoint('POST', '/alerts/:id/ack', { query: Nothing, body: RemarkBodySchema }, async (input, response) => {
      const record = await book.acknowledge(input.id, { at: now(), ...input.body });
      sendJson(response, alertView(record, await book.silences(), now()));
    }),
    endpoint('GET', '/alerts/silences', nothing, async (_input, response) => {
      sendJson(response, (await book.silences()).map(silenceView));
    }),
    endpoint('POST', '/alerts/silences', { query: Nothing, body: SilenceBodySchema }, async ({ body }, response) => {
      const { match, by, comment } = body;
      const createdAt = now();
      const silence = await book.addSilence({ match, createdAt, until: endOf(body, createdAt), by, comment });
      response.status(201).location(`/alerts/silences/${silence.id}`);
      sendJson(response, silenceView(silence));
    }),
    endpoint('DELETE', '/alerts/silences/:id', nothing, async ({ id }, response) => {
      sendJson(response, silenceView(await book.removeSilence(pathNumber('id', id))));
    }),
    endpoint('GET', '/alerts/rules', nothing, async (_input, response) => sendJson(response, alerts.rules())),
    testEndpoint(alerts),
  ];
}

/** `/alerts/test`: one trial alert to every channel; the status is 200 even when some fail, each result has its `ok`. */
function testEndpoint(alerts: Alerts): Endpoint {
  return endpoint('POST', '/alerts/test', { query: Nothing, body: Nothing }, async (_input, response) => {
    const results = await alerts.test();
    if (results.length > 0) return sendJson(response, results);
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
