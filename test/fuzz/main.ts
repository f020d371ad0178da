import { Command } from 'commander';
import { fuzz, type Tally } from './run.ts';

/** Samples between two lines of progress. */
const BATCH = 5_000;

const options = new Command('npm run fuzz --')
  .description("Compares the wire parser with Node's on random messages, until they disagree or the time is up.")
  .option('--seconds <n>', 'how long', Number, 60)
  .option('--seed <n>', 'where to begin; a run can be repeated with it', Number, Date.now() % 2 ** 31)
  .parse()
  .opts<{ seconds: number; seed: number }>();

const tally: Tally = { messages: 0, accepted: 0, refused: 0 };
const start = performance.now();
for (let seed = options.seed; performance.now() - start < 1_000 * options.seconds; seed += 1) {
  await fuzz('requests', { seed, count: BATCH }, tally);
  await fuzz('responses', { seed, count: BATCH }, tally);
  const seconds = Math.round((performance.now() - start) / 1_000);
  console.log(
    `seed ${seed}: ${tally.messages} samples in ${seconds} s, ${tally.accepted} accepted alike, ${tally.refused} refused`,
  );
}
