import { UsageError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { wholeNumber } from './arguments.ts';
import { alertsText, channelsText, resultsText, rulesText, silencesText } from './alerts-text.ts';
import { type OperateOptions, openSession, print } from './session.ts';

const MOST = 1_000;
type Severity = 'critical' | 'warning' | 'info';

export interface SilenceOptions extends OperateOptions {
  readonly key?: string;
  readonly service?: string;
  readonly instance?: string;
  readonly node?: string;
  readonly severity?: Severity;
  readonly for?: string;
  readonly until?: string;
  readonly comment: string;
}

export interface ChannelOptions extends OperateOptions {
  readonly format?: string;
  readonly severity?: Severity;
  readonly service?: readonly string[];
}

/** `heimdall alerts list`: the active ones, or with `all` the history. */
export async function listAlerts(
  options: OperateOptions & { readonly all: boolean; readonly service?: string; readonly limit: string },
): Promise<void> {
  const limit = wholeNumber('--limit', options.limit, 1, MOST);
  const session = await openSession(options);
  const state = options.all ? undefined : 'active';
  const alerts = await session.client.alerts.list({ limit, state, service: options.service });
  print(session, alerts, () => alertsText(alerts, session.paint, Date.now()));
}

/** `heimdall alerts ack` */
export async function acknowledge(
  alert: string,
  options: OperateOptions & { readonly comment: string },
): Promise<void> {
  const session = await openSession(options);
  const { client, actor, paint } = session;
  const acknowledged = await client.alerts.ack(alert, { by: actor, comment: options.comment });
  print(session, acknowledged, () => alertsText([acknowledged], paint, Date.now()));
}

/** `heimdall alerts silence` */
export async function silence(options: SilenceOptions): Promise<void> {
  const { key, service, instance, node, severity, until, comment } = options;
  if ((options.for === undefined) === (until === undefined))
    throw new UsageError('say for how long: either --for, such as 2h, or --until, such as 2026-12-24T18:00:00Z');
  if ([key, service, instance, node, severity].every((part) => part === undefined))
    throw new UsageError('say which alerts: --key, --service, --instance, --node or --severity');
  const session = await openSession(options);
  const { client, actor, paint } = session;
  const match = { key, service, instance, node, severity };
  const made = await client.alerts.silence({ match, for: options.for, until, by: actor, comment });
  print(session, made, () => silencesText([made], paint, Date.now()));
}

/** `heimdall alerts silences` */
export async function listSilences(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const silences = await session.client.alerts.silences();
  print(session, silences, () => silencesText(silences, session.paint, Date.now()));
}

/** `heimdall alerts unsilence` */
export async function endSilence(id: string, options: OperateOptions): Promise<void> {
  const number = wholeNumber('ID', id, 1, Number.MAX_SAFE_INTEGER);
  const session = await openSession(options);
  const ended = await session.client.alerts.endSilence(number);
  print(session, ended, () => `silence ${ended.id} has ended\n`);
}

/** `heimdall alerts channels list` */
export async function listChannels(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const channels = await session.client.alerts.channels();
  print(session, channels, () => channelsText(channels, session.paint));
}

/** `heimdall alerts channels add` */
export async function addChannel(name: string, url: string, options: ChannelOptions): Promise<void> {
  const { format, severity, service } = options;
  const session = await openSession(options);
  const webhook = {
    url,
    ...(format === undefined ? {} : { format }),
    ...(severity === undefined ? {} : { severity }),
    ...(service === undefined ? {} : { services: service }),
  };
  const channel = await session.client.alerts.addChannel({ name, webhook, by: session.actor });
  print(session, channel, () => channelsText([channel], session.paint));
}

/** `heimdall alerts channels remove` */
export async function removeChannel(name: string, options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const channel = await session.client.alerts.removeChannel(name);
  print(session, channel, () => `${channel.name} is told of nothing any more\n`);
}

/** `heimdall alerts rules` */
export async function listRules(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const rules = await session.client.alerts.rules();
  print(session, rules, () => rulesText(rules, session.paint));
}

/** `heimdall alerts test`: exit code 1 when a channel did not take the trial alert. */
export async function testChannels(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const results = await session.client.alerts.test();
  print(session, results, () => resultsText(results, session.paint));
  process.exitCode = results.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
