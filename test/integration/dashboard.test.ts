import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { createServer } from '../../pkg/sockets/http.ts';
import { dashboardFolder } from '../../cmd/runtime/package-info.ts';
import { dashboard } from '../../internal/api/dashboard.ts';
import { noBrowser, startBrowser, watchedPage } from '../support/browser.ts';
import { eventually } from '../support/e2e-wait.ts';
import { liveInstance, liveService, liveState, NO_TRAFFIC } from '../support/live-state.ts';

const TOKEN = 'open-sesame-please';
const MANY = 200;
const RPS = 64;
const INSTANCES = Array.from({ length: MANY }, (_, at) =>
  liveInstance({ id: `web-${9_001 + at}-a`, port: 9_001 + at }, { traffic: { ...NO_TRAFFIC, rps: RPS } }),
);
const WEB = liveService('web', { desired: MANY, traffic: { ...NO_TRAFFIC, rps: MANY * RPS } });
const STATE = liveState({ services: [WEB], instances: INSTANCES });
/** Of one expectation: the machine may be slow and busy. */
const LIMIT_MS = 40_000;

/** A manager that says what the test wants, so that it can break off and be away. */
class PlayedManager {
  token: string | null = null;
  isAway = false;
  /** What the logs say to whoever comes. */
  logLines: readonly string[] = [];
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();

  constructor() {
    const app = express();
    app.use((_request, response, next) => void (this.isAway ? response.destroy() : next()));
    app.use(dashboard(dashboardFolder));
    app.use(({ headers }, response, next) => {
      const isKnown = this.token === null || headers.authorization === `Bearer ${this.token}`;
      if (isKnown) next();
      else response.status(401).json({ code: 'UNAUTHORIZED', detail: 'The token is not the right one.' });
    });
    app.get('/live', (_request, response) => this.#stream(response, [['state', JSON.stringify(STATE)]]));
    app.get('/servers/:id/logs', (_request, response) =>
      this.#stream(
        response,
        this.logLines.map((line) => ['out', line]),
      ),
    );
    this.#server = createServer(app);
  }

  async start(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all streams off. */
  breakOff(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #stream(response: ServerResponse, messages: readonly (readonly [event: string, data: string])[]): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const [event, data] of messages) response.write(`event: ${event}\ndata: ${data}\n\n`);
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }
}

describe('the dashboard of a manager that is played', { skip: noBrowser }, () => {
  const manager = new PlayedManager();
  let browser: Browser;
  let base: string;
  let page: Page;
  let faults: readonly string[];

  before(async () => {
    [browser, base] = await Promise.all([startBrowser(), manager.start()]);
  });
  beforeEach(async () => {
    manager.isAway = false;
    manager.token = null;
    ({ page, faults } = await watchedPage(browser, base));
    page.setDefaultTimeout(LIMIT_MS);
  });
  after(async () => {
    await browser?.close();
    manager.stop();
  });

  it('gives all its width to the columns that are shown, however many instances there are', async () => {
    await page.goto(`${base}/#/instances`);
    const widths =
      "[document.querySelector('table.list').getBoundingClientRect().right, ...[...document.querySelectorAll('table.list thead th')].map((cell) => cell.getBoundingClientRect().right)]";
    for (const width of [390, 760, 1000, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      await page
        .locator('tr[data-row]')
        .nth(MANY - 1)
        .waitFor({ state: 'attached' });
      const [table = 0, ...columns] = await page.evaluate<number[]>(widths);
      assert.ok(table > 0 && Math.abs(table - Math.max(...columns)) < 2, `${width}: ${table}, ${columns.join()}`);
    }
    assert.deepEqual(faults, []);
  });

  it('has room on a phone for the names and the figures in the picture of the flow', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(`${base}/`);
    const name = await page.locator('.flow').getByText('200 instances').boundingBox();
    const figure = await page.locator('.flow').getByText('12.8k/s').last().boundingBox();
    assert.ok(name !== null && figure !== null && name.x + name.width < figure.x, JSON.stringify([name, figure]));
  });

  it('follows the log of an instance again when the manager was away', async () => {
    manager.logLines = ['first'];
    await page.goto(`${base}/#/instances?instance=web-9001-a`);
    const lines = page.locator('.log-lines');
    await lines.getByText('first').waitFor();
    manager.isAway = true;
    manager.breakOff();
    await lines.getByText('The manager is away').waitFor();
    manager.logLines = ['first', 'second'];
    manager.isAway = false;
    await lines.getByText('second').waitFor();
    assert.deepEqual(await lines.locator('div').allTextContents(), ['first', 'second']);
  });

  it('works where the browser keeps nothing', async () => {
    const refuse = (place: string) =>
      `Object.defineProperty(window, '${place}', { get() { throw new DOMException('blocked', 'SecurityError'); } });`;
    await page.addInitScript(`${refuse('sessionStorage')}${refuse('localStorage')}`);
    await page.goto(`${base}/`);
    await page.locator('main.fresh').waitFor();
    await page.getByRole('button', { name: /^Theme: auto/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).waitFor();
    assert.deepEqual(faults, []);
  });

  it('says so at once when what is typed cannot be a token', async () => {
    manager.token = TOKEN;
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(`${base}/`);
    await page.getByLabel('Token', { exact: true }).fill('snow☃man and more');
    await page.keyboard.press('Enter');
    await page.getByText('only visible ASCII characters').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await page.keyboard.press('Enter');
    await page.locator('main.fresh').waitFor();
    const width = async () => (await page.getByLabel('Filter', { exact: true }).boundingBox())?.width ?? 0;
    await eventually(
      'the filter has room beside the button that logs out',
      async () => (await width()) >= 80,
      LIMIT_MS,
    );
  });
});
