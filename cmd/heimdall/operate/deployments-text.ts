import type { DeploymentStepView, DeploymentView } from '../../../internal/model/deployment-view.ts';
import { aligned } from '../aligned.ts';
import { marked } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../../../internal/model/printable.ts';
import { firstLine } from '../terminal/printable.ts';
import { clockText, timeText } from '../terminal/units.ts';

type State = DeploymentView['state'];

const MOOD = {
  queued: 'idle',
  running: 'busy',
  'rolling-back': 'busy',
  succeeded: 'well',
  'rolled-back': 'bad',
  failed: 'bad',
} as const satisfies Record<State, string>;

const HEAD = ['deployment', 'service', 'kind', 'state', 'version', 'by', 'at', 'took', ''];

/** A row for each deployment. @param now - epoch milliseconds. */
export function deploymentsText(deployments: readonly DeploymentView[], paint: Paint, now: number): string {
  if (deployments.length === 0) return 'no deployments\n';
  const rows = deployments.map((deployment) => [
    String(deployment.id),
    deployment.service,
    deployment.kind,
    deploymentState(deployment.state, paint),
    firstLine(deployment.version ?? '-'),
    firstLine(deployment.by),
    clockText(deployment.createdAt, now),
    tookText(deployment, now),
    firstLine(deployment.reason ?? ''),
  ]);
  return aligned([HEAD.map((cell) => paint('dim', cell)), ...rows], [1, 2, 3, 4, 5, 6, 8]);
}

/** A deployment with what it did. */
export function deploymentText(
  deployment: DeploymentView & { readonly steps: readonly DeploymentStepView[] },
  paint: Paint,
  now: number,
): string {
  const steps = deployment.steps.map((step) => stepText(step, deployment.createdAt, paint)).join('');
  return `${deploymentsText([deployment], paint, now)}\n${steps}`;
}

/** A step in a line, with how long after the beginning it was; output that explains it in lines below. */
export function stepText({ at, message, logTail = [] }: DeploymentStepView, begun: string, paint: Paint): string {
  const after = timeText(Math.max(0, Date.parse(at) - Date.parse(begun)));
  const tail = logTail.map((line) => `${' '.repeat(10)}${paint('dim', `| ${printable(line)}`)}\n`);
  return `${paint('dim', after.padStart(8))}  ${printable(message)}\n${tail.join('')}`;
}

/** How a deployment ended, as a sentence. @param isWanted - whether that is what was asked for; default: only success is. */
export function outcomeText(deployment: DeploymentView, paint: Paint, isWanted = false): string {
  const { id, kind, service, state, version, reason } = deployment;
  const what = `${kind} ${id} of ${service}${version === null ? '' : ` (version ${printable(version)})`}`;
  const why = reason === undefined ? '' : `: ${printable(reason)}`;
  const took =
    deployment.finishedAt === null ? '' : ` after ${tookText(deployment, Date.parse(deployment.finishedAt))}`;
  return `${marked(isWanted ? 'well' : MOOD[state], `${what} ${STATE_WORDS[state]}${took}${why}`, paint)}\n`;
}

const STATE_WORDS: Readonly<Record<State, string>> = {
  queued: 'waits for the one before it',
  running: 'is under way',
  'rolling-back': 'is going back to the release before',
  succeeded: 'succeeded',
  'rolled-back': 'was rolled back, and the release before runs again',
  failed: 'failed',
};

function deploymentState(state: State, paint: Paint): string {
  return marked(MOOD[state], state, paint);
}

function tookText({ startedAt, finishedAt }: DeploymentView, now: number): string {
  if (startedAt === null) return '-';
  return timeText((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
}
