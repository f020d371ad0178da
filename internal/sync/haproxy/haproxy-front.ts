import { type Applied, type Draft, type Front, FrontError } from '../front.ts';
import type { Picture, SyncedServer } from '../picture.ts';
import { type KnownNames, resolved, type ResolvedServer } from '../resolved.ts';
import { RuntimeApi } from './runtime-api.ts';
import { parseServerStates, parseSessions, type Slot } from './server-table.ts';
import { isAt, planSlots, type SlotChange } from './slot-plan.ts';

/** Where HAProxy takes new servers, their slots are named so. */
const ADDED = 'heimdall';

export interface HaproxyOptions {
  /** A path, or `host:port`. */
  readonly socket: string;
  /** Whose servers are ours to set, all of them. */
  readonly backends: readonly { readonly service: string; readonly backend: string }[];
}

interface Wanted {
  readonly backend: string;
  readonly servers: readonly ResolvedServer[];
}

/** An HAProxy whose servers are set through its runtime API, without a reload. */
export class HaproxyFront implements Front {
  readonly name = 'haproxy';
  readonly paceMs = 50;
  readonly claims: readonly string[];
  readonly #options: HaproxyOptions;
  readonly #api: RuntimeApi;
  /** Backends whose algorithm takes no weights while HAProxy runs. */
  readonly #weightless = new Set<string>();
  readonly #names: KnownNames = new Map();
  #applied: readonly Wanted[] = [];

  constructor(options: HaproxyOptions) {
    this.#options = options;
    this.#api = new RuntimeApi(options.socket);
    this.claims = options.backends.map(({ backend }) => `backend ${backend} at ${options.socket}`);
  }

  /** The commands, one on each line. */
  async draft(picture: Picture): Promise<Draft> {
    const { wanted, warnings } = await this.#wanted(picture);
    const plans = wanted.map(async ({ backend, servers }) => {
      const { changes, missing } = this.#plan(backend, await this.#slots(backend), servers);
      return [
        ...changes.map((change) => commandOf(backend, change)),
        ...missing.map(({ id }) => `# no slot for ${id}`),
      ];
    });
    const lines = (await Promise.all(plans)).flat();
    return { text: lines.map((line) => `${line}\n`).join(''), changed: lines.length > 0, warnings };
  }

  async apply(picture: Picture): Promise<Applied> {
    const { wanted, warnings } = await this.#wanted(picture);
    let changed = false;
    const said = [...warnings];
    const failures: unknown[] = [];
    for (const one of wanted) {
      try {
        const result = await this.#bring(one);
        changed ||= result.changed;
        said.push(...result.warnings);
      } catch (error) {
        failures.push(error); // the others must not go without what is new for it
      }
    }
    if (failures.length > 0) throw failures[0];
    this.#applied = wanted;
    return { changed, warnings: said };
  }

  /** What runs on their slots, and waits for them. */
  async inFlight(servers: readonly SyncedServer[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { backend, servers: known } of this.#applied) {
      const draining = known.filter(({ id }) => servers.some((server) => server.id === id));
      if (draining.length === 0) continue;
      const slots = await this.#slots(backend);
      const sessions = await this.#sessions(backend);
      for (const server of draining) {
        const own = slots.filter((slot) => isAt(slot, server));
        counts.set(
          server.id,
          own.reduce((sum, { name }) => sum + (sessions.get(name) ?? 1), counts.get(server.id) ?? 0),
        );
      }
    }
    return counts;
  }

  /** A restart sets all of it back to its configuration. */
  async isCurrent(): Promise<boolean> {
    for (const { backend, servers } of this.#applied) {
      const { changes } = this.#plan(backend, await this.#slots(backend), servers);
      if (changes.length > 0) return false;
    }
    return true;
  }

  async #wanted({ services }: Picture): Promise<{ wanted: readonly Wanted[]; warnings: readonly string[] }> {
    const { services: known, warnings } = await resolved(services, this.#names);
    const wanted = this.#options.backends.map(({ service, backend }) => ({
      backend,
      servers: known.find(({ name }) => name === service)?.servers ?? [],
    }));
    return { wanted, warnings };
  }

  async #bring({ backend, servers }: Wanted): Promise<Applied> {
    let slots = await this.#slots(backend);
    const lacking = this.#plan(backend, slots, servers).missing.length;
    if (lacking > 0 && (await this.#addSlots(backend, slots, lacking))) slots = await this.#slots(backend);
    const { changes, missing } = this.#plan(backend, slots, servers);
    for (const change of changes) await this.#change(backend, change);
    if (changes.length > 0) await this.#verify(backend, servers);
    if (missing.length === 0) return { changed: changes.length > 0, warnings: [] };
    const ids = missing.map(({ id }) => id).join(', ');
    const warning = `backend ${backend} of HAProxy has ${slots.length} servers and takes no more: ${ids} get no requests; raise the number in its server-template`;
    return { changed: changes.length > 0, warnings: [warning] };
  }

  async #verify(backend: string, servers: readonly ResolvedServer[]): Promise<void> {
    const { changes } = this.#plan(backend, await this.#slots(backend), servers);
    const [first] = changes;
    if (first === undefined) return;
    throw new FrontError(`HAProxy did not do as it was told: "${commandOf(backend, first)}" is still to be done`);
  }

  #plan(backend: string, slots: readonly Slot[], servers: readonly ResolvedServer[]) {
    const plan = planSlots(slots, servers);
    if (!this.#weightless.has(backend)) return plan;
    return { ...plan, changes: plan.changes.filter(({ set }) => set !== 'weight') };
  }

  async #slots(backend: string): Promise<Slot[]> {
    const command = `show servers state ${backend}`;
    const answer = await this.#api.ask(command);
    if (answer.startsWith("Can't find backend")) throw new FrontError(`HAProxy has no backend "${backend}"`);
    const slots = parseServerStates(answer);
    if (slots === null) throw this.#api.unexpected(command, answer);
    return slots;
  }

  async #sessions(backend: string): Promise<ReadonlyMap<string, number>> {
    const command = `show stat ${backend} 4 -1`; // 4: servers
    const answer = await this.#api.ask(command);
    const sessions = parseSessions(answer);
    if (sessions === null) throw this.#api.unexpected(command, answer);
    return sessions;
  }

  async #change(backend: string, change: SlotChange): Promise<void> {
    const command = commandOf(backend, change);
    const answer = (await this.#api.ask(command)).trim();
    const isDone = change.set === 'addr' ? /\bchanged\b|no need to change/.test(answer) : answer === '';
    if (isDone) return;
    if (change.set !== 'weight' || !answer.includes('static LB algorithm')) throw this.#api.unexpected(command, answer);
    this.#weightless.add(backend);
  }

  /** Version 2.6 does so, where the backend's algorithm allows it. @returns whether there are more now. */
  async #addSlots(backend: string, slots: readonly Slot[], count: number): Promise<boolean> {
    const names = new Set(slots.map(({ name }) => name));
    let [added, number] = [0, 1];
    while (added < count) {
      const name = `${ADDED}${number}`;
      number += 1;
      if (names.has(name)) continue;
      const answer = await this.#api.ask(`add server ${backend}/${name} 127.0.0.1:1`);
      if (!answer.includes('New server registered')) break;
      added += 1;
    }
    return added > 0;
  }
}

function commandOf(backend: string, change: SlotChange): string {
  const start = `set server ${backend}/${change.slot}`;
  switch (change.set) {
    case 'state':
      return `${start} state ${change.state}`;
    case 'weight':
      return `${start} weight ${change.weight}`;
    case 'addr':
      return `${start} addr ${change.address} port ${change.port}`;
  }
}
