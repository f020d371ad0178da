import type { ExplainedAttempt, ExplainedPick, ExplainedRequest } from '../../internal/model/explained-request.ts';
import { aligned } from './aligned.ts';
import { figure } from './figure.ts';

const RESULT: Readonly<Record<ExplainedPick['result'], string>> = {
  picked: 'picked',
  trial: 'tries out',
  busy: 'nobody has room',
  held: 'held: the service is paused, or has no instance yet',
  nobody: 'there is nobody to pick',
};
const AMONG: Readonly<Record<ExplainedPick['among'], string>> = {
  fit: '',
  panic: ', also among the unfit, because too few are fit',
  'last-resort': ', as a last resort, because nobody is fit',
};
/** Others are the names of rules, or words already. */
const REFUSAL: Readonly<Record<string, string>> = {
  nobody: 'there was nobody, or nobody else, to pick',
  busy: 'all were full for as long as it may wait, or too many waited already',
  shed: 'all were full, and it would have waited in vain',
  held: 'it was held for as long as it may be, or too many were held already',
  'rate-limited': 'its client has sent more than the rateLimit of the route allows',
};
const NOT_REPEATED: Readonly<Record<string, string>> = {
  'attempts-used-up': 'it was tried as often as proxy.retries.attempts allows',
  'body-gone': 'what was read of its body is not at hand any more',
  'timed-out': 'the next upstream would probably be as slow',
  over: 'it had an answer, or the client had left',
  'method-not-idempotent': 'a repetition may do harm with this method, and there is no Idempotency-Key',
  'broke-twice': 'two connections broke, and the request itself may be the cause',
  'budget-spent': 'the budget of proxy.retries was spent',
};
const CONNECTION: Readonly<Record<string, string>> = {
  new: 'new connection',
  reused: 'kept connection',
  renewed: 'new connection in place of a kept one that was closed',
};

/** What became of a request, for people. */
export function explainText(request: ExplainedRequest): string {
  const { picks, attempts, notRepeated } = request;
  const parts = [opening(request), ...picks.map(pickText)];
  if (attempts.length > 0) parts.push(attemptsText(attempts));
  if (notRepeated !== null) parts.push(`Not repeated: ${NOT_REPEATED[notRepeated] ?? notRepeated}.\n`);
  return parts.join('\n');
}

function opening(request: ExplainedRequest): string {
  const { id, thread, at, client, method, host, target, service, algorithm, status, totalMs, refusal, trace } = request;
  const whither =
    service === null ? 'to no service' : algorithm === null ? `for ${service}` : `to ${service} (${algorithm})`;
  const end = status === null ? 'under way for' : `status ${status}${status === 499 ? ', the client left' : ''}, after`;
  const lines = [
    method === '' ? `No valid request, from ${client}` : `${method} ${host}${target}, from ${client}`,
    `  id ${id}, at ${at}, thread ${thread}`,
    `  ${whither}: ${end} ${figure(totalMs)} ms`,
  ];
  if (trace !== null) lines.push(`  trace ${trace.id}${trace.sampled ? '' : ', of which no spans are exported'}`);
  if (refusal !== null) lines.push(`  refused: ${REFUSAL[refusal] ?? refusal}`);
  for (const { why, afterMs, ms } of request.waits) {
    const cause = why === 'held' ? 'it was held' : 'all were full';
    lines.push(`  waited ${ms === null ? 'until now' : `${figure(ms)} ms`}, from ${figure(afterMs)} ms on: ${cause}`);
  }
  if (!request.sampled)
    lines.push('  its first candidates were not recorded: under load only some requests are sampled');
  return `${lines.join('\n')}\n`;
}

function pickText(pick: ExplainedPick): string {
  const { result, upstream, among, rule, meaning, better, candidates, unlisted } = pick;
  const whom = upstream === null ? '' : ` ${upstream}`;
  const why = rule === null ? '' : `: ${rule}`;
  const rows = candidates.map((candidate) => candidateRow(candidate, upstream));
  const table = aligned([['', 'score', 'in flight', 'weight', 'health', ''], ...rows], [0, 4, 5]);
  const counts = Object.entries(pick.excluded).map(([reason, count]) => `${count} ${reason}`);
  const more = unlisted === 0 ? '' : `  and ${unlisted} more; excluded of all: ${counts.join(', ') || 'none'}\n`;
  const preferred = better === 'more' ? 'largest' : 'smallest';
  const legend = meaning === null ? '' : `  score: ${meaning}; the ${preferred} is preferred\n`;
  return `At ${figure(pick.afterMs)} ms ${RESULT[result]}${whom}${AMONG[among]}${why}\n${table}${more}${legend}`;
}

function candidateRow(candidate: ExplainedPick['candidates'][number], picked: string | null): string[] {
  const { id, score, inFlight, weight, lifecycle, health, excluded, cause } = candidate;
  const why = cause === undefined ? '' : ` (${cause})`;
  return [
    `${id === picked ? '>' : ' '} ${id}`,
    figure(score),
    figure(inFlight),
    figure(weight),
    lifecycle === 'ready' ? health : lifecycle,
    excluded === null ? why.trim() : `excluded: ${excluded}${why}`,
  ];
}

function attemptsText(attempts: readonly ExplainedAttempt[]): string {
  const head = ['  attempt', 'begins ms', 'connected', 'sent', 'head', 'total', 'outcome'];
  const rows = attempts.map((attempt) => [
    `  ${attempt.upstream}`,
    figure(attempt.afterMs),
    figure(attempt.connectMs),
    figure(attempt.sentMs),
    figure(attempt.headMs),
    figure(attempt.totalMs),
    `${attempt.outcome} (${CONNECTION[attempt.connection ?? ''] ?? 'no connection'})`,
  ]);
  return `Attempts; times in ms, from the beginning of each on\n${aligned([head, ...rows], [0, 6])}`;
}
