import { Command } from 'commander';
import { soak } from './soak.ts';

const MIB = 1024 * 1024;
/** By so much may the last quarter's median memory be above that of the second quarter. */
const GROWTH = 32 * MIB;
/** Before that a process has not had the worst of what it will meet: a shorter run says nothing about its memory. */
const WARM_SECONDS = 60;

const { seconds } = new Command('npm run soak:wire --')
  .description(
    'Loads a load balancer in every way at once while backends come and go, and looks at every octet it gives.',
  )
  .option('--seconds <n>', 'how long', Number, 120)
  .parse()
  .opts<{ seconds: number }>();

const { tally, cycles, memory } = await soak(seconds, (line) => console.log(line));
const quarter = Math.floor(memory.length / 4);
const before = median(memory.slice(quarter, 2 * quarter));
const after = median(memory.slice(-quarter));
const grows = seconds >= WARM_SECONDS && after - before > GROWTH;
console.table(Object.fromEntries([...tally.done].map(([kind, visits]) => [kind, { visits }])));
console.log(`${cycles} times backends went and came back`);
console.log(
  `memory: ${toMib(before)} in the second quarter, ${toMib(after)} in the last, ${toMib(slope(memory))} a minute`,
);
console.log(
  `every ten seconds: ${memory
    .filter((_, second) => second % 10 === 9)
    .map(toMib)
    .join(', ')}`,
);
for (const failure of tally.failures) console.log(`FAILED ${failure}`);
if (tally.failed > 0) console.log(`${tally.failed} failed`);
if (grows) console.log('FAILED the memory grows');
process.exitCode = tally.failed > 0 || grows ? 1 : 0;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Octets a minute over the second half, by least squares. */
function slope(samples: readonly number[]): number {
  const half = samples.slice(samples.length / 2);
  const middle = (half.length - 1) / 2;
  const mean = half.reduce((sum, value) => sum + value, 0) / half.length;
  const [along, square] = half.reduce(
    ([a, s], value, index) => [a + (index - middle) * (value - mean), s + (index - middle) ** 2],
    [0, 0],
  );
  return square === 0 ? 0 : (60 * along) / square;
}

function toMib(octets: number): string {
  return `${(octets / MIB).toFixed(1)} MiB`;
}
