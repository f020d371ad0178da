// Loaded into the load balancer before anything else: SIGUSR2 ends one of its threads, as a crash would.
// Each end adds an octet to the file `ended-threads` in the folder that it runs in.
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread, type Worker } from 'node:worker_threads';

if (isMainThread) {
  const living = new Set<Worker>();
  threads.Worker = class extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      living.add(this);
      this.once('exit', () => living.delete(this));
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => {
    const [oldest] = living;
    void oldest?.terminate().then(() => appendFileSync('ended-threads', '.'));
  });
}
