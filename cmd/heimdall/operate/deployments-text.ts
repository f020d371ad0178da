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
  skipped: 'idle',
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
    firstLine(deployment.reason ?? leftOut(deployment)),
  ]);
  return aligned([HEAD.map((cell) => paint('dim', cell)), ...rows], [1, 2, 3, 4, 5, 6, 8]);
}

/** A deployment with what it did. */
export function deploymentText(
  deployment: DeploymentView & { readonly steps: readonly DeploymentStepView[] },
  paint: Paint,
  now: number,
): string {
  const hasNodes = deployment.nodes.length > 1;
  const steps = deployment.steps.map((step) => stepText(step, deployment.createdAt, paint, hasNodes)).join('');
  return `${deploymentsText([deployment], paint, now)}${nodesText(deployment, paint)}\n${steps}`;
}

/** How it goes on each node; nothing where there is but one. */
function nodesText({ nodes }: DeploymentView, paint: Paint): string {
  if (nodes.length < 2) return '';
  const rows = nodes.map(({ node, state, version, reason }) => [
    node,
    deploymentState(state, paint),
    firstLine(version ?? '-'),
    firstLine(reason ?? ''),
  ]);
  const head = ['node', 'state', 'version', ''].map((cell) => paint('dim', cell));
  return `\n${aligned([head, ...rows], [0, 1, 2, 3])}`;
}

/** A step in a line, with how long after the beginning it was, and where; output that explains it in lines below. */
export function stepText(
  { at, node, message, logTail = [] }: DeploymentStepView,
  begun: string,
  paint: Paint,
  hasNodes = false,
): string {
  const where = hasNodes && node !== undefined ? `${node}: ` : '';
  const after = timeText(Math.max(0, Date.parse(at) - Date.parse(begun)));
  const tail = logTail.map((line) => `${' '.repeat(10)}${paint('dim', `| ${printable(line)}`)}\n`);
  return `${paint('dim', after.padStart(8))}  ${where}${printable(message)}\n${tail.join('')}`;
}

/** How a deployment ended, as a sentence. @param isWanted - whether that is what was asked for; default: only success is. */
export function outcomeText(deployment: DeploymentView, paint: Paint, isWanted = false): string {
  const { id, kind, service, state, version, reason, nodes } = deployment;
  const [only, other] = nodes;
  const where = only !== undefined && other === undefined ? ` on node ${only.node}` : '';
  const what = `${kind} ${id} of ${service}${where}${version === null ? '' : ` (version ${printable(version)})`}`;
  const rest = leftOut(deployment);
  const why = reason === undefined ? rest && `; ${rest}` : `: ${printable(reason)}`;
  const took =
    deployment.finishedAt === null ? '' : ` after ${tookText(deployment, Date.parse(deployment.finishedAt))}`;
  return `${marked(isWanted ? 'well' : MOOD[state], `${what} ${STATE_WORDS[state]}${took}${why}`, paint)}\n`;
}

/** Nodes that keep what they run though it went well on the others; empty: none. */
function leftOut({ state, nodes }: DeploymentView): string {
  const names = nodes.filter((part) => part.state === 'skipped').map(({ node }) => node);
  return state !== 'succeeded' || names.length === 0 ? '' : `left out, as away: ${names.join(', ')}`;
}

const STATE_WORDS: Readonly<Record<State, string>> = {
  queued: 'waits for the one before it',
  running: 'is under way',
  'rolling-back': 'is going back to the release before',
  succeeded: 'succeeded',
  'rolled-back': 'was rolled back, and the release before runs again',
  failed: 'failed',
  skipped: 'was given up before it changed anything',
};

function deploymentState(state: State, paint: Paint): string {
  return marked(MOOD[state], state, paint);
}

function tookText({ startedAt, finishedAt }: DeploymentView, now: number): string {
  if (startedAt === null) return '-';
  return timeText((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt));
}
