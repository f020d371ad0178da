import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import type { Alerts } from './manager.ts';
import { sendProblem } from './problem.ts';
import { sendJson } from './respond.ts';

/** `/alerts/test`: one trial alert to every channel; the status is 200 even when some fail, each result has its `ok`. */
export function alertEndpoints(alerts: Alerts): Endpoint[] {
  return [
    endpoint('POST', '/alerts/test', { query: Nothing, body: Nothing }, async (_input, response) => {
      const results = await alerts.test();
      if (results.length > 0) return sendJson(response, results);
      sendProblem(
        response.req,
        response,
        'NO_ALERT_CHANNEL',
        'No alert channel is configured; add one under alerts.email or alerts.webhooks.',
      );
    }),
  ];
}
