import { loadavg } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { EtcdCluster } from '../../support/etcd.ts';
import { type Table, toText } from '../report/table.ts';
import { Workshop } from '../workshop.ts';
import type { Place } from './messages.ts';
import { type Keeper, type Result, Site } from './measure.ts';

/** `npm run bench:registry`: how long a change of the registry takes until it is in force in every load balancer. */
const DESCRIPTION = `Propagation of changes from the registry to load balancers: a writer, and readers in processes of their own with all that
a load balancer does but its requests and probes. No instance is started; nothing listens.`;
/** What the search for the highest rate goes through; it ends with the first that is too much. */
const RATES = [250, 500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000];
const LIMIT_MS = 100;
/** Of the changes that were asked for, so many must be taken. */
const TAKEN = 0.95;

interface Flags {
  readonly driver: 'sqlite' | 'etcd';
  readonly instances: readonly number[];
  readonly readers: number;
  readonly services: number;
  readonly rate: number;
  readonly seconds: number;
  readonly lanes: number;
  readonly fsync: boolean;
  readonly highest: boolean;
  readonly json: boolean;
}

const flags = new Command('bench:registry')
  .description(DESCRIPTION)
  .addOption(
    new Option('--driver <name>', 'of the registry; etcd is one member').choices(['sqlite', 'etcd']).default('sqlite'),
  )
  .option('--instances <numbers>', 'how many rows, with commas between them', list, [100, 1_000, 5_000])
  .option('--readers <n>', 'load balancers', whole, 10)
  .option('--services <n>', 'that the instances belong to', whole, 10)
  .option('--rate <n>', 'changes per second', whole, 500)
  .option('--seconds <n>', 'how long a storm lasts', whole, 20)
  .option('--lanes <n>', 'changes under way at the same time', whole, 10)
  .option('--fsync', 'have etcd wait for the disk with every commit, as it does in earnest', false)
  .option('--highest', `look for the highest rate with a p99 of at most ${LIMIT_MS} ms, too`, false)
  .option('--json', 'numbers in place of the table', false)
  .parse()
  .opts<Flags>();
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));

try {
  const loadBefore = loadavg()[0] ?? 0;
  const results: Result[] = [];
  for (const instances of flags.instances) results.push(...(await measure(instances)));
  if (flags.json) process.stdout.write(`${JSON.stringify({ loadBefore, results }, null, 2)}\n`);
  else process.stdout.write(`load before: ${loadBefore.toFixed(1)}\n\n${toText(tableOf(results))}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function measure(instances: number): Promise<Result[]> {
  await using workshop = await Workshop.open(ending.signal);
  if (flags.driver === 'sqlite') {
    const folder = join(workshop.folder, 'store');
    return await storms(workshop, instances, { driver: 'sqlite', path: join(folder, 'registry.db') }, { folder });
  }
  const cluster = await EtcdCluster.start({ fsync: flags.fsync });
  try {
    const pids = cluster.members.flatMap(({ pid }) => pid ?? []);
    return await storms(workshop, instances, { driver: 'etcd', etcd: { endpoints: cluster.endpoints } }, { pids });
  } finally {
    await cluster.stop();
  }
}

async function storms(
  workshop: Workshop,
  instances: number,
  registry: Place['registry'],
  keeper: Keeper,
): Promise<Result[]> {
  const { readers, services, rate, seconds, lanes, highest } = flags;
  tell(`${instances} instances, ${readers} readers: filling and starting`);
  const site = await Site.open(workshop, { instances, services, readers, seconds, lanes }, registry, keeper);
  const results: Result[] = [];
  for (const perSecond of [rate, ...(highest ? RATES.filter((other) => other > rate) : [])]) {
    const result = await site.storm(perSecond);
    results.push(result);
    tell(`${perSecond} changes/s: ${result.taken.toFixed(0)} taken, p99 ${result.each.p99.toFixed(0)} ms`);
    if (result.each.p99 > LIMIT_MS || result.taken < TAKEN * perSecond) break;
  }
  await site.close();
  return results;
}

function tableOf(results: readonly Result[]): Table {
  const delays = ['p50', 'p99', 'max'] as const;
  return [
    [
      'instances',
      'changes/s',
      ...delays.map((name) => `${name} ms`),
      'all: p99',
      'all: max',
      'pictures/s',
      'reader CPU %',
      'idle',
      'writer CPU %',
      'store CPU %',
      'reader MiB',
      'store MiB',
    ],
    ...results.map((result) => [
      String(result.instances),
      result.taken.toFixed(0),
      ...delays.map((name) => result.each[name].toFixed(1)),
      result.all.p99.toFixed(1),
      result.all.max.toFixed(1),
      result.pictures.toFixed(1),
      result.readerCpu.toFixed(1),
      result.idleCpu.toFixed(1),
      result.writerCpu.toFixed(1),
      result.storeCpu?.toFixed(1) ?? '–',
      result.readerMib.toFixed(0),
      result.storeMib?.toFixed(1) ?? '–',
    ]),
  ];
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 to 999999.');
  return Number(text);
}

function list(text: string): number[] {
  return text.split(',').map(whole);
}
