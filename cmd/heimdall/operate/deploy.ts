import type { DeploymentView } from '../../../internal/model/deployment-view.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { paintFor } from '../terminal/paint.ts';
import { Progress } from '../terminal/progress.ts';
import { timeText } from '../terminal/units.ts';
import { optionalNumber, variables, wholeNumber } from './arguments.ts';
import { deploymentsText, deploymentText, outcomeText, stepText } from './deployments-text.ts';
import { followDeployment } from './follow-deployment.ts';
import { untilInterrupted } from './interrupt.ts';
import { type OperateOptions, openSession, print, type Session } from './session.ts';

const MOST_LISTED = 1_000;

/** Of everything that makes a deployment. */
export interface RolloutOptions extends OperateOptions {
  /** Wait for a deployment that is under way rather than be refused. */
  readonly queue: boolean;
  readonly wait: boolean;
  /** The only one; default: all, one after another. */
  readonly node?: string;
}

export interface DeployOptions extends RolloutOptions {
  readonly version?: string;
  readonly command?: string;
  readonly env?: readonly string[];
}

/** `heimdall deploy`: exit code 1 when it went back. */
export async function deploy(service: string, options: DeployOptions): Promise<void> {
  const body = { version: options.version, command: options.command, env: variables(options.env) };
  await rollOut(options, ({ client, actor }, call) => client.services.deploy(service, { ...body, by: actor }, call));
}

/** `heimdall services restart` */
export async function restartService(service: string, options: RolloutOptions): Promise<void> {
  await rollOut(options, ({ client, actor }, call) => client.services.restart(service, { by: actor }, call));
}

/** `heimdall services rollback` */
export async function rollBack(service: string, options: RolloutOptions & { readonly to?: string }): Promise<void> {
  const to = optionalNumber('--to', options.to, 1, Number.MAX_SAFE_INTEGER);
  await rollOut(
    options,
    ({ client, actor }, call) => client.services.rollback(service, { by: actor, to }, call),
    ({ kind, state }) => (kind === 'rollback' ? state === 'succeeded' : ['rolled-back', 'skipped'].includes(state)), // given up is what was wanted
  );
}

/** `heimdall deployments list` */
export async function listDeployments(
  options: OperateOptions & { readonly service?: string; readonly limit: string; readonly node?: string },
): Promise<void> {
  const limit = wholeNumber('--limit', options.limit, 1, MOST_LISTED);
  const session = await openSession(options);
  const deployments = await session.client.deployments.list({ service: options.service, limit, node: options.node });
  print(session, deployments, () => deploymentsText(deployments, session.paint, Date.now()));
}

/** `heimdall deployments get`; with `follow` it goes on until the deployment is over, as `heimdall deploy` does. */
export async function getDeployment(
  id: string,
  options: OperateOptions & { readonly follow: boolean; readonly node?: string },
): Promise<void> {
  const number = wholeNumber('ID', id, 1, Number.MAX_SAFE_INTEGER);
  const session = await openSession(options);
  const deployment = await session.client.deployments.get(number, { node: options.node });
  if (options.follow) return untilOver(session, deployment, hasSucceeded);
  print(session, deployment, () => deploymentText(deployment, session.paint, Date.now()));
}

/** What a deployment is asked for with. */
interface RolloutCall {
  readonly queue: boolean;
  readonly node?: string | undefined;
}

async function rollOut(
  options: RolloutOptions,
  begin: (session: Session, call: RolloutCall) => Promise<DeploymentView>,
  isWell: (over: DeploymentView) => boolean = hasSucceeded,
): Promise<void> {
  const { queue, wait, node } = options;
  const session = await openSession(options);
  const deployment = await begin(session, { queue, node });
  if (wait) return untilOver(session, deployment, isWell);
  print(session, deployment, () => outcomeText(deployment, session.paint) + adviceFor(deployment));
}

function adviceFor({ id }: DeploymentView): string {
  return `follow it with: heimdall deployments get ${id} --follow\n`;
}

/** Tells its steps and how it ended. */
async function untilOver(
  session: Session,
  deployment: DeploymentView,
  isWell: (over: DeploymentView) => boolean,
): Promise<void> {
  const { id, kind, service, createdAt, nodes } = deployment;
  const paint = paintFor(process.stderr);
  using progress = new Progress(session.json ? null : process.stderr);
  const begun = Date.now();
  const goesOn = process.stderr.isTTY
    ? () => `${kind} ${id} of ${service} … ${timeText(Date.now() - begun)}`
    : `${kind} ${id} of ${service}`;
  progress.is(goesOn);
  const teller = {
    step: (step: Parameters<typeof stepText>[0]) => {
      progress.note(stepText(step, createdAt, paint, nodes.length > 1));
      progress.is(goesOn);
    },
    lost: () => progress.is('the manager cannot be reached; trying again'),
  };
  const note = () => `the ${kind} goes on without us; ${adviceFor(deployment).trim()}`;
  const over = await untilInterrupted((signal) => followDeployment(session.client, id, teller, signal), note);
  if (over === null) throw new CommandError(EXIT.interrupted, note());
  progress[Symbol.dispose]();
  if (session.json) print(session, await session.client.deployments.get(id), () => '');
  else process.stdout.write(outcomeText(over, session.paint, isWell(over)));
  process.exitCode = isWell(over) ? EXIT.done : EXIT.failed;
}

function hasSucceeded({ state }: DeploymentView): boolean {
  return state === 'succeeded';
}
