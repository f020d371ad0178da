import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { INSTANCES, type Service } from '../../../chaos/schedule.ts';
import { ask } from '../../../support/e2e-http.ts';
import { eventually } from '../../../support/e2e-wait.ts';
import { Home } from '../../home.ts';
import type { Doings, Peer, PeerSite } from '../peer.ts';
import type { Installation } from './installation.ts';

const ECOSYSTEM = join(import.meta.dirname, 'ecosystem.config.cjs');
const NO_LIMIT = 64 * 1024 * 1024;
const LONG_ENOUGH_MS = 180_000;
const ListSchema = z.array(z.object({ name: z.string() }));
const run = promisify(execFile);

interface Manner {
  /** With `wait_ready` and time to finish, as the documentation asks for; otherwise pm2's defaults. */
  readonly isAsDocumented: boolean;
  /** The app closes no idle connection before it has been used once more. */
  readonly isPatient: boolean;
}

/** pm2 in cluster mode, set up in three ways. */
export function pm2Peers(installed: Installation): Peer[] {
  const peer = (name: string, about: string, manner: Manner): Peer => ({
    name,
    about,
    isSticky: false,
    installed,
    start: () => Pm2Site.start(installed, manner),
  });
  return [
    peer('pm2', 'as its documentation asks for: wait_ready, kill_timeout 30 s, server.close() on SIGINT', {
      isAsDocumented: true,
      isPatient: false,
    }),
    peer('pm2-patient', 'the same, but on SIGINT the app leaves idle connections open for one more request', {
      isAsDocumented: true,
      isPatient: true,
    }),
    peer('pm2-defaults', 'the app of the first with the defaults of pm2: kill_timeout 1.6 s', {
      isAsDocumented: false,
      isPatient: false,
    }),
  ];
}

/** A pm2 of its own, with a daemon of its own. */
class Pm2Site implements PeerSite {
  readonly ports: Record<Service, number>;
  readonly #home: Home;
  readonly #bin: string;
  readonly #env: NodeJS.ProcessEnv;

  readonly doings: Doings = {
    deploy: ({ service, version }) => this.#reload(service, { VERSION: version }),
    restart: ({ service }) => this.#reload(service, {}),
    scale: ({ service, instances }) => this.#scale(service, () => instances),
    add: ({ service }) => this.#scale(service, (count) => count + 1),
    remove: ({ service }) => this.#scale(service, (count) => Math.max(1, count - 1)),
  };

  private constructor(bin: string, home: Home, { isAsDocumented, isPatient }: Manner) {
    const [web = 0, shop = 0] = home.ports.own;
    this.ports = { web, shop };
    this.#home = home;
    this.#bin = bin;
    this.#env = {
      ...home.env,
      PM2_HOME: join(home.dir, 'pm2'),
      PM2_DISABLE_VERSION_CHECK: 'true', // nothing leaves the machine
      WEB_PORT: String(web),
      SHOP_PORT: String(shop),
      WEB_INSTANCES: String(INSTANCES.web),
      SHOP_INSTANCES: String(INSTANCES.shop),
      AS_DOCUMENTED: isAsDocumented ? '1' : '0',
      PATIENT: isPatient ? '1' : '0',
      VERSION: 'v1',
    };
  }

  static async start(installed: Installation, manner: Manner): Promise<Pm2Site> {
    if ('missing' in installed) throw new Error(`pm2 is missing: ${installed.missing}`);
    const site = new Pm2Site(installed.bin, await Home.create(), manner);
    try {
      await site.#pm2(['start', ECOSYSTEM]);
      await site.isWell();
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  async isWell(): Promise<void> {
    for (const port of Object.values(this.ports)) {
      const url = `http://127.0.0.1:${port}/health`;
      await eventually(`an answer of ${url}`, async () => (await ask(url)).status === 200);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#pm2(['kill']);
    } finally {
      await this.#home[Symbol.asyncDispose]();
    }
  }

  async #reload(service: Service, env: NodeJS.ProcessEnv): Promise<void> {
    await this.#pm2(['reload', ECOSYSTEM, '--only', service, '--update-env'], env);
  }

  async #scale(service: Service, countFrom: (count: number) => number): Promise<void> {
    const list = ListSchema.parse(JSON.parse(await this.#pm2(['jlist', '--silent'])));
    const before = list.filter(({ name }) => name === service).length;
    const count = countFrom(before);
    if (count !== before) await this.#pm2(['scale', service, String(count)]); // it fails when there is nothing to do
  }

  /** @throws with what it has printed, when it fails. */
  async #pm2(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const options = {
      cwd: this.#home.dir,
      env: { ...this.#env, ...env },
      maxBuffer: NO_LIMIT,
      timeout: LONG_ENOUGH_MS,
    };
    const { stdout } = await run(process.execPath, [this.#bin, ...args], options);
    return stdout;
  }
}
