import { loadConfig } from '../../../internal/config/load.ts';
import { nodeNameOf } from '../../../internal/config/node-name.ts';
import { type CopyPreview, RegistryCopy } from '../../../internal/registry/copy.ts';
import { loadOptions } from '../../runtime/arguments.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { confirm } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';
import { copiedText, previewText } from './copy-text.ts';

export interface RegistryCopyArguments {
  readonly config?: string;
  /** Path of the registry; without it that of the configuration. */
  readonly from?: string;
  readonly dryRun: boolean;
  /** Delete what the target holds. */
  readonly force: boolean;
  /** Without being asked. */
  readonly yes: boolean;
  readonly json: boolean;
}

/**
 * `heimdall registry copy`: the registry's file into etcd. Instances and load balancers may run on, a manager may not: with one,
 * `heimdall reload` does the same while one manager follows the other.
 * @throws {CommandError} when the configuration names no etcd, or a manager runs.
 * @throws {HeimdallError} as `RegistryCopy`.
 */
export async function copyRegistry(given: RegistryCopyArguments): Promise<void> {
  const { config } = await loadConfig(loadOptions(given.config));
  const { registry } = config;
  if (registry.driver !== 'etcd') {
    const message =
      'the configuration names no etcd to copy into: set registry.driver to "etcd", or name one with --config';
    throw new CommandError(EXIT.failed, message);
  }
  const from = { driver: 'sqlite', path: given.from ?? registry.path } as const;
  const node = nodeNameOf(config);
  const copy = await RegistryCopy.open({ from, to: registry, node });
  try {
    const preview = await copy.preview();
    const ways = { from: copy.from, to: copy.to, node };
    if (given.dryRun) tell(given, { ...ways, ...preview }, previewText(ways, preview));
    const obstacle = obstacleOf(preview, given);
    if (obstacle !== null) throw new CommandError(EXIT.failed, obstacle);
    if (given.dryRun) return;
    if (preview.content !== null) await confirm(`Delete what ${copy.to} holds (${preview.content})?`, given.yes);
    const counts = await carryOut(copy, given);
    tell(given, { ...ways, counts }, copiedText(ways, counts, preview));
  } finally {
    await copy.close();
  }
}

async function carryOut(copy: RegistryCopy, { force, json }: RegistryCopyArguments): Promise<CopyPreview['counts']> {
  using progress = new Progress(json ? null : process.stderr);
  await copy.hold();
  await copy.begin(force);
  return copy.carryOut((part) => progress.is(`copying: ${Math.floor(part * 10) * 10} %`));
}

/** What stands against it, in words; null: nothing. */
function obstacleOf(preview: CopyPreview, { force, dryRun }: RegistryCopyArguments): string | null {
  const { users, underWay, content } = preview;
  if (users.manager !== null && !dryRun) {
    return (
      `a manager (pid ${users.manager}) uses the registry that is to be copied. With this configuration in its place, heimdall reload ` +
      'copies while it hands over; or stop the manager, and call this again'
    );
  }
  if (underWay !== null) return underWay;
  if (content !== null && !force) {
    return `there is something in etcd already (${content}); --force deletes it, another registry.etcd.prefix keeps both`;
  }
  return null;
}

function tell({ json }: RegistryCopyArguments, result: object, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : text);
}
