// Writes the pictures of the dashboard that the README shows: of a real system with real traffic. `npm run screenshots`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { noBrowser, startBrowser } from '../support/browser.ts';
import { ask } from '../support/e2e-http.ts';
import { Load, type Mix } from '../support/e2e-load.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const IMAGES = join(import.meta.dirname, '..', '..', 'docs', 'images');
/** So long there is traffic before the first picture, in milliseconds (an argument says another number of seconds): the lines of the last 15 minutes need something to show. */
const TRAFFIC_MS = Number(process.argv[2] ?? 900) * 1_000;
/** Until everything of a page is drawn, in milliseconds. */
const SETTLE_MS = 2_500;

interface Shot {
  readonly name: string;
  readonly hash: string;
  readonly scheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
}

const mix: Mix = (index) => {
  if (index % 397 === 50) return { path: '/fail' };
  if (index % 7 === 3) return { path: `/slow?ms=${20 + (index % 60)}` };
  if (index % 5 === 0) return { path: '/api/items' };
  return { path: index % 11 === 0 ? '/jobs' : '/' };
};

if (noBrowser !== false) throw new Error(noBrowser);
await mkdir(IMAGES, { recursive: true });
const system = await startSystem();
try {
  await takePictures(system);
} finally {
  await system[Symbol.asyncDispose]();
}

async function startSystem(): Promise<System> {
  const versions = { v2: {}, v3: { env: { FAIL_START: '1' } } };
  const rollout = { minHealthy: '1s' };
  const services = [
    sampleService({ instances: 5, versions, rollout, env: { VERSION: 'v1' } }),
    sampleService({
      name: 'api',
      instances: 3,
      routes: [{ path: '/api' }],
      algorithm: 'least-time',
      versions,
      rollout,
    }),
    sampleService({ name: 'jobs', instances: 2, routes: [{ path: '/jobs' }], versions, rollout }),
  ];
  const started = await System.create(() => ({ services, alerts: { groupWindow: '1s' } }));
  await started.up(10);
  return started;
}

async function takePictures(running: System): Promise<void> {
  const deploy = (service: string, version: string) =>
    ask(`${running.api}/services/${service}/deploy?wait=true`, {
      method: 'POST',
      headers: { 'Heimdall-Actor': 'ann' },
      body: { version },
    });
  const load = new Load(running.proxy, 12, mix);
  const browser = await startBrowser();
  try {
    await sleep(TRAFFIC_MS / 2);
    for (const service of ['web', 'api', 'jobs']) await deploy(service, 'v2');
    await sleep(TRAFFIC_MS / 2);
    await deploy('jobs', 'v3'); // goes back, and leaves an alert
    const instance = (await running.list()).find(({ id }) => id.startsWith('web-'))?.id;
    const wide = { width: 1440, height: 900 };
    await shoot(browser, running.api, { name: 'dashboard-light', hash: '#/', scheme: 'light', ...wide });
    await shoot(browser, running.api, { name: 'dashboard-dark', hash: '#/', scheme: 'dark', ...wide });
    await shoot(browser, running.api, { name: 'service', hash: '#/services/web', scheme: 'light', ...wide });
    const drawer = `#/services/web?instance=${instance}`;
    await shoot(browser, running.api, { name: 'instance', hash: drawer, scheme: 'dark', ...wide });
    await shoot(browser, running.api, {
      name: 'dashboard-phone',
      hash: '#/',
      scheme: 'light',
      width: 390,
      height: 844,
    });
  } finally {
    await browser.close();
    await load.stop();
  }
}

async function shoot(browser: Browser, base: string, { name, hash, scheme, width, height }: Shot): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  await page.goto(`${base}/${hash}`);
  await eventually('figures are shown', () => page.locator('main.fresh .panel').first().isVisible());
  await sleep(SETTLE_MS);
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
  await context.close();
}
