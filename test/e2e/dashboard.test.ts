import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { Agent, request } from '../../pkg/sockets/http.ts';
import { noBrowser, startBrowser, type WatchedPage, watchedPage } from '../support/browser.ts';
import { Load } from '../support/e2e-load.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const TOKEN = 'open-sesame-please';
/** Of one expectation: the machine may be slow and busy. */
const LIMIT_MS = 40_000;

/** One walk through the life of a service, in the order in which a person would take it; each step goes on where the one before ended. */
describe('the dashboard in a browser', { skip: noBrowser }, () => {
  let system: System;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    const versions = { v2: {}, broken: { env: { FAIL_START: '1' } } };
    const rollout = { minHealthy: '300ms', maxSurge: 2 };
    const web = sampleService({ instances: 0, versions, rollout, drainTimeout: '60s' });
    [system, browser] = await Promise.all([System.create(() => ({ services: [web] })), startBrowser()]);
    await system.heimdall('up').printed('Ctrl-C drains and stops everything.');
    watched = await watchedPage(browser, system.api, { viewport: { width: 1440, height: 1000 } });
    page = watched.page;
    page.setDefaultTimeout(LIMIT_MS);
  });

  after(async () => {
    await browser?.close();
    await system?.[Symbol.asyncDispose]();
  });

  let hasFailed = false;
  const step = (name: string, run: () => Promise<void> | void): void => {
    void it(name, async (context) => {
      if (hasFailed) return context.skip('a step before has failed');
      hasFailed = true;
      await run();
      hasFailed = false;
    });
  };
  const row = (text: string | RegExp) => page.locator('tbody tr').filter({ hasText: text });
  const dialog = () => page.getByRole('dialog');
  const button = (name: string | RegExp, within: Page | Locator = page) =>
    within.getByRole('button', { name, exact: true });
  const notice = (text: string | RegExp) => page.locator('.notice').filter({ hasText: text }).first().waitFor();
  const toService = () => page.goto(`${system.api}/#/services/web`);
  const healthy = (text: string) => page.locator('.page-head').getByText(text).waitFor();

  step('begins with nothing, and says so', async () => {
    await page.goto(`${system.api}/`);
    await row('web').getByText('no instances').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('All is well.').waitFor();
    await page.locator('.balancers').getByText('in service').waitFor();
  });

  step('adds an instance, and shows how it starts', async () => {
    await page.getByRole('link', { name: 'web', exact: true }).first().click();
    await button('Add').click();
    await dialog().getByText('One more process starts.').waitFor();
    await dialog().getByLabel('Your name, for the record', { exact: true }).fill('Ann');
    await button('Start').click();
    await notice(/^web-\d+-\w+ is ready/);
    await row(/running.*healthy/).waitFor();
    await healthy('1 of 1 healthy');
    await page
      .locator('.timeline')
      .getByText(/^audit Ann added/)
      .waitFor();
  });

  step('is steered by the keyboard alone', async () => {
    for (const key of ['1', 'j', 'Enter']) await page.keyboard.press(key);
    await healthy('1 of 1 healthy');
    const isReached = () => page.evaluate("document.activeElement?.textContent === 'Scale'");
    for (let presses = 0; presses < 40 && !(await isReached()); presses += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog().getByLabel('Instances', { exact: true }).waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('3');
    await dialog().getByText('From 1 to 3: 2 instances more.').waitFor();
    await page.keyboard.press('Enter');
    await healthy('3 of 3 healthy');
    await page.keyboard.press('?');
    await dialog().getByText('next, previous row').waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  step('shows traffic in figures and in the picture of the flow', async () => {
    const load = new Load(system.proxy, 4);
    try {
      await page.keyboard.press('1');
      await page.locator('.ribbon:not(.idle)').nth(3).waitFor({ state: 'attached' });
      const figure = page.locator('.tile').filter({ hasText: 'Requests per second' }).locator('.tile-value');
      await eventually('requests are counted', async () => Number(await figure.textContent()) > 0, LIMIT_MS);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  step('deploys, and shows the steps as they come', async () => {
    await toService();
    await button('Deploy').first().click();
    await dialog().getByLabel('Version', { exact: true }).fill('v2');
    await dialog().getByRole('button', { name: 'Deploy', exact: true }).click();
    await dialog().locator('.steps li').first().waitFor();
    await dialog().getByText('succeeded').waitFor();
    await button('Close', dialog()).click();
    await page.locator('.facts').getByText('v2').waitFor();
    await page
      .locator('.deployment')
      .getByText(/by Ann/)
      .waitFor();
  });

  step('shows why a deployment went back', async () => {
    await button('Deploy').first().click();
    await dialog().getByLabel('Version', { exact: true }).fill('broken');
    await dialog().getByRole('button', { name: 'Deploy', exact: true }).click();
    await dialog().getByText('rolled back').waitFor();
    await dialog().locator('.problem').waitFor();
    await dialog().locator('.log-tail').first().waitFor();
    await button('Close', dialog()).click();
    await healthy('3 of 3 healthy');
  });

  step('acknowledges and silences an alert, and ends the silence', async () => {
    const alert = page.locator('.alert').filter({ hasText: /deployment/i });
    await button('Acknowledge', alert).click();
    await dialog().getByLabel('Comment', { exact: true }).fill('known');
    await button('Acknowledge', dialog()).click();
    await alert.getByText('acknowledged by Ann').waitFor();
    await button('Silence', alert).click();
    await button('Silence', dialog()).click();
    await alert.getByText('silenced').waitFor();
    await page.locator('.silences').getByRole('button', { name: 'End' }).click();
    await button('End it').click();
    await page.locator('.silences').waitFor({ state: 'detached' });
    await page.keyboard.press('3');
    await button('Who did what').click();
    await page.locator('.timeline').getByText('ready').first().waitFor({ state: 'detached' });
    await page
      .locator('.timeline')
      .getByText(/^audit Ann added/)
      .waitFor();
    await toService();
  });

  step('shows an instance that was killed as down and why, and its return', async () => {
    const port = (await system.list())[0]?.port;
    await row(`:${port}`).getByRole('button').click();
    const drawer = page.getByRole('complementary', { name: /Instance web/ });
    await drawer.locator('.log-lines').getByText('pid').first().waitFor();
    const isDown = drawer.getByText('down', { exact: true });
    await eventually('it is shown as down', async () => {
      const instance = (await system.list()).find((each) => each.port === port);
      if (instance?.status === 'running' && instance.pid !== null) process.kill(instance.pid, 'SIGKILL'); // again, when it was back too soon to be seen
      return isDown.isVisible();
    });
    await drawer.getByText('killed by SIGKILL').waitFor();
    await page
      .locator('.timeline')
      .getByText(/instance\.exited/)
      .first()
      .waitFor();
    await page
      .locator('.timeline')
      .getByText(/alert.*down/)
      .first()
      .waitFor();
    await drawer.getByText('healthy', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await healthy('3 of 3 healthy');
  });

  step('removes an instance, and counts its drain down', async () => {
    const held = Array.from({ length: 6 }, () => new HeldRequest(`${system.proxy}/echo`));
    const busy = row('running').filter({ has: page.locator('td:nth-child(8)', { hasText: /^[1-9]/ }) });
    const details = busy.first().getByRole('button');
    const id = await details.getAttribute('title');
    await page.goto(`${system.api}/#/services/web?instance=${id}`);
    const drawer = page.getByRole('complementary', { name: `Instance ${id}` });
    await button('Remove', drawer).click();
    await button('Drain and remove').click();
    await dialog()
      .getByText(/\d requests? in flight, \d+ s left/)
      .waitFor();
    const answers = await Promise.all(held.map((request) => request.finish()));
    assert.deepEqual(answers, Array(6).fill(200));
    await notice(`${id} is drained and stopped.`);
    await drawer.getByText('This instance is gone.').waitFor();
    await page.keyboard.press('Escape');
    await healthy('2 of 2 healthy');
  });

  step('tells that what it shows is stale while the manager hangs', async () => {
    const { pid } = await system.managerStatus();
    process.kill(pid, 'SIGSTOP');
    try {
      await page
        .locator('.live')
        .getByText(/stale \d+ s/)
        .waitFor();
      await page.locator('main.stale').waitFor();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await page.getByText('live', { exact: true }).waitFor();
  });

  step('fits on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const hash of ['#/activity', '#/instances', '#/services/web', '#/']) {
      await page.goto(`${system.api}/${hash}`);
      await page.locator('main .panel').first().waitFor();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, hash);
    }
    await page.setViewportSize({ width: 1440, height: 1000 });
  });

  step('did all that without an error, and asked no other host', () => {
    assert.deepEqual(watched.faults.splice(0), []);
  });

  step('asks for the token when one is set', async () => {
    await system.configure({ manager: { port: system.ports.manager, token: TOKEN } });
    await eventually('the token is in force', async () => (await fetch(`${system.api}/status`)).status === 401);
    await page.reload();
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await button('Log in').click();
    await page.getByText('The token is not the right one.').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await button('Log in').click();
    await row('web').waitFor();
    await button('Log out').click();
    await page.getByLabel('Token', { exact: true }).waitFor();
    const other = watched.faults.filter((fault) => !fault.includes('status of 401'));
    assert.deepEqual(other, []);
  });
});

/** A request that is under way until its last word is sent. */
class HeldRequest {
  readonly #request: ClientRequest;
  readonly #answered: Promise<[IncomingMessage]>;

  constructor(url: string) {
    this.#request = request(url, { method: 'POST', agent: new Agent() });
    this.#answered = once(this.#request, 'response') as Promise<[IncomingMessage]>;
    this.#answered.catch(() => {}); // told by `finish`
    this.#request.write('held');
  }

  /** @returns the status. */
  async finish(): Promise<number> {
    this.#request.end();
    const [response] = await this.#answered;
    response.resume();
    return response.statusCode ?? 0;
  }
}
