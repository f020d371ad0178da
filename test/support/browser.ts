import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** What Debian's package `chromium` installs; CHROMIUM names another one. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];

/** Why no test can have a browser; false: it can. */
export const noBrowser: string | false = existsSync(CHROMIUM)
  ? false
  : `there is no ${CHROMIUM}: install the package chromium, or name a browser in CHROMIUM`;

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** A page of which everything that goes wrong is noted. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors in the console (what the content security policy forbids is one), exceptions, requests to other hosts. */
  readonly faults: string[];
}

/** @param base - the only origin that the page may ask. */
export async function watchedPage(
  browser: Browser,
  base: string,
  options?: BrowserContextOptions,
): Promise<WatchedPage> {
  const page = await (await browser.newContext(options)).newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith('data:')) faults.push(`request to ${url}`);
  });
  return { page, faults };
}
