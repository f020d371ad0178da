import { Command } from 'commander';
import { toMarkdown, toText } from '../bench/report/table.ts';
import { measure } from './measure.ts';
import type { Measured } from './measured.ts';
import { haproxyPeers } from './peers/haproxy/haproxy.ts';
import { heimdall } from './peers/heimdall.ts';
import { findPm2 } from './peers/pm2/installation.ts';
import { pm2Peers } from './peers/pm2/pm2.ts';
import { actTable, kindTable, sumTable } from './tables.ts';

/** Leaves the peers some room on two cores. */
const PAUSE_MS = 5;

interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly pm2?: string;
  readonly peers?: string;
  readonly json: boolean;
  readonly markdown: boolean;
}

const command = new Command('npm run compare --')
  .description(
    'Changes heimdall, pm2 and HAProxy under the same load by the same schedule, and counts failed requests.',
  )
  .option('--minutes <n>', 'how long each', Number, 3)
  .option('--seed <n>', 'of the schedule', Number, 1)
  .option('--pm2 <folder>', 'where `npm install pm2@7` was run; otherwise pm2 is looked for on the PATH')
  .option('--peers <names>', 'only these, with commas between them')
  .option('--json', 'print what was measured as JSON', false)
  .option('--markdown', 'print the tables as Markdown', false)
  .parse();
const flags = command.opts<Flags>();
const tell = (line: string) => process.stderr.write(`${line}\n`);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());

const all = await measureAll(flags);
if (all.length === 0) command.error('nothing was measured');
process.stdout.write(flags.json ? `${JSON.stringify({ seed: flags.seed, all }, null, 2)}\n` : tables(all, flags));

async function measureAll({ minutes, seed, pm2, peers }: Flags): Promise<Measured[]> {
  const known = [heimdall, ...pm2Peers(findPm2(pm2)), ...haproxyPeers()];
  const names = peers?.split(',') ?? known.map(({ name }) => name);
  const unknown = names.filter((name) => known.every((peer) => peer.name !== name));
  if (unknown.length > 0) command.error(`no ${unknown.join(', ')}, only: ${known.map(({ name }) => name).join(', ')}`);
  const measured: Measured[] = [];
  for (const peer of known.filter(({ name }) => names.includes(name))) {
    if (ending.signal.aborted) break;
    if ('missing' in peer.installed) {
      tell(`${peer.name} is left out, because it is not installed: ${peer.installed.missing}`);
      continue;
    }
    try {
      measured.push(
        await measure(peer, { seconds: 60 * minutes, seed, pauseMs: PAUSE_MS, ending: ending.signal, tell }),
      );
    } catch (error) {
      tell(`${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  return measured;
}

function tables(all: readonly Measured[], { seed, minutes, markdown }: Flags): string {
  const toTable = markdown ? toMarkdown : toText;
  return [
    `Seed ${seed}, ${minutes} min each, Node ${process.version}`,
    all.map(({ peer, version, about }) => `- ${peer} ${version}: ${about}`).join('\n'),
    ...[sumTable(all), kindTable(all), actTable(all)].map(toTable),
    all.flatMap(({ peer, faults }) => faults.map((fault) => `${peer}: FAULT ${fault}`)).join('\n'),
  ]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n');
}
