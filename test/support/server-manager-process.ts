// A manager in a process of its own, for the tests that kill it: node server-manager-process.ts <dir> <from> <to>
import { join } from 'node:path';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { AlertLog, service } from './server-fixture.ts';

const [dir = '', from, to] = process.argv.slice(2);
const registry = await openManagerRegistry({ path: join(dir, 'registry.db') });
const manager = new ServerManager({
  registry,
  services: [service({ instances: 2 })],
  ports: { from: Number(from), to: Number(to) },
  dataDir: dir,
  log: createLogger({ name: 'test', level: 'silent' }),
  alerts: new AlertLog(),
  baseEnv: process.env,
  version: '1.2.3',
});
await manager.start();
await manager.settled();
console.log('settled');
