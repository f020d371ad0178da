// A process of its own that opens one side of a registry: registry-child.ts manager|proxy PATH
import { hasCode, messageOf } from '../../internal/model/errors.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { DRAFT } from './instance-draft.ts';

const [, , role, path = ''] = process.argv;
const PORTS = Array.from({ length: 100 }, (_, index) => 9_000 + index);

async function manage(): Promise<void> {
  const manager = await openManagerRegistry({ path });
  process.on('message', async (order) => {
    if (order === 'reserve') process.send?.({ reserved: await manager.reserve([DRAFT], PORTS, 1) });
    if (order === 'close') await manager.close().then(() => process.disconnect?.());
  });
  process.send?.({ registryId: (await manager.snapshot()).registryId });
}

async function watch(): Promise<void> {
  const proxy = openProxyRegistry({ path, proxyId: `proxy-${process.pid}`, pid: process.pid });
  process.on('message', (order) => {
    if (order === 'close') void proxy.close().then(() => process.disconnect?.());
  });
  process.send?.({ registryId: (await proxy.snapshot()).registryId });
}

try {
  await (role === 'manager' ? manage() : watch());
} catch (error) {
  process.send?.({ refused: messageOf(error), running: hasCode(error, 'MANAGER_RUNNING') });
  process.disconnect?.();
}
