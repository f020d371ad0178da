import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { MOST_REQUEST_KEYS } from '../../internal/registry/request-keys.ts';
import { announcementsContract } from './announcements.case.ts';
import { registryContract, type StoreUnderTest } from './registry.case.ts';
import { requestKeysContract } from './request-keys.case.ts';

registryContract('sqlite', createStore);
requestKeysContract('sqlite', createStore);
announcementsContract('sqlite', createStore);

async function createStore(): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-registry-'));
  const path = join(folder, 'data', 'registry.db');
  return {
    openManager: (clock) => openManagerRegistry({ path, clock }),
    openProxy: (proxyId, clock) => openProxyRegistry({ path, proxyId, pid: process.pid, clock }),
    mostRequestKeys: MOST_REQUEST_KEYS,
    ordinal: async (revision) => revision,
    pass: async () => {}, // the clocks of the handles tell how old something is
    dispose: () => rm(folder, { recursive: true }),
  };
}
