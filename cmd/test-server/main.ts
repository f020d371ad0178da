// The sample backend: a small HTTP app for demos and tests. `GET /help` lists what it can do.
// Environment: PORT (required), HOST, SERVER_NAME, VERSION, and switches for a bad start: START_DELAY and CRASH_AFTER
// in milliseconds, FAIL_START=1, LISTEN_ON=<another port than PORT>.
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningBackend, startBackend } from './app.ts';
import { settingsFrom } from './settings.ts';

let running: RunningBackend | undefined;
let stopping = false;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => void stop());
}

try {
  const settings = settingsFrom(process.env);
  if (settings.failStart) throw new Error('asked to by FAIL_START');
  await sleep(settings.startDelay);
  running = await startBackend(settings);
  console.log(`sample backend ${running.name} listens on ${running.url} (pid ${process.pid})`);
  if (settings.crashAfter !== null) setTimeout(() => process.exit(1), settings.crashAfter);
} catch (error) {
  console.error(`sample backend cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function stop(): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  await running?.stop();
  process.exit(0);
}
