import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { LiveMessage } from '../../client/client.ts';
import type { LiveInstance, LiveService, LiveState } from '../../model/live.ts';
import { after } from '../../model/live-after.ts';
import { History } from './history.ts';

const EMPTY: LiveState = {
  at: new Date(0).toISOString(),
  version: '',
  revision: 0,
  loadBalancers: [],
  nodes: [],
  services: [],
  instances: [],
  deployments: [],
  alerts: [],
  silences: [],
  events: [],
};

type Signals<T> = ReadonlyMap<string, Signal<T>>;

/** What the live stream has told. Each service and instance has a signal of its own, so that only what changed is drawn anew. */
export class Store {
  readonly history = new History();
  /** Grows with every message: whoever draws the history follows it. */
  readonly beat = signal(0);
  readonly #state = signal<LiveState>(EMPTY);
  /** By name and by id; another map only when something came or went. */
  readonly #services = signal<Signals<LiveService>>(new Map());
  readonly #instances = signal<Signals<LiveInstance>>(new Map());
  readonly serviceNames = computed(() => [...this.#services.value.keys()]);
  readonly instanceIds = computed(() => [...this.#instances.value.keys()]);
  readonly state: ReadonlySignal<LiveState> = this.#state;
  readonly loadBalancers = computed(() => this.#state.value.loadBalancers);
  readonly nodes = computed(() => this.#state.value.nodes);
  readonly deployments = computed(() => this.#state.value.deployments);
  readonly alerts = computed(() => this.#state.value.alerts);
  readonly silences = computed(() => this.#state.value.silences);
  readonly events = computed(() => this.#state.value.events);
  readonly activeAlerts = computed(() => this.alerts.value.filter(({ state }) => state === 'active'));
  /** False: the registry cannot be read at present, and what is shown is what was known last. */
  readonly isRegistryThere = computed(() => this.#state.value.revision !== null);

  apply(message: LiveMessage): void {
    batch(() => {
      if (message.event === 'history') this.history.seed(message.data);
      else this.#show(message.event === 'state' ? message.data : after(this.#state.peek(), message.data));
      if (message.event === 'tick') this.#remember();
      this.beat.value += 1;
    });
  }

  /** Undefined when there is none of this name. */
  service(name: string): ReadonlySignal<LiveService> | undefined {
    return this.#services.value.get(name);
  }

  instance(id: string): ReadonlySignal<LiveInstance> | undefined {
    return this.#instances.value.get(id);
  }

  instancesOf(service: string): readonly LiveInstance[] {
    return this.#state.value.instances.filter((instance) => instance.service === service);
  }

  #show(next: LiveState): void {
    this.#state.value = next;
    spread(next.services, this.#services, ({ name }) => name);
    spread(next.instances, this.#instances, ({ id }) => id);
  }

  #remember(): void {
    const { at, services, instances } = this.#state.peek();
    this.history.add(Date.parse(at), services, instances);
  }
}

/** Gives each item to its signal. */
function spread<T>(items: readonly T[], signals: Signal<Signals<T>>, keyOf: (item: T) => string): void {
  const before = signals.peek();
  for (const item of items) {
    const known = before.get(keyOf(item));
    if (known !== undefined) known.value = item;
  }
  const keys = [...before.keys()];
  if (items.length === keys.length && items.every((item, at) => keyOf(item) === keys[at])) return;
  signals.value = new Map(items.map((item) => [keyOf(item), before.get(keyOf(item)) ?? signal(item)]));
}
