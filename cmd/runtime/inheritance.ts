import { randomUUID } from 'node:crypto';
import { closeSync } from 'node:fs';
import { z } from 'zod';
import { RegistrySettingsSchema } from '../../internal/model/registry-settings.ts';
import { type LivingProcess, LivingProcessSchema } from './living-process.ts';
import { GO, type Message } from './messages.ts';

/** Where a predecessor puts what it hands over. */
const VARIABLE = 'HEIMDALL_INHERITANCE';

const OfferSchema = z.object({
  /** What the address is for: `proxy`, `admin`, `api`. */
  purpose: z.string(),
  host: z.string(),
  port: z.int(),
  /** Descriptors of sockets that listen there. */
  sockets: z.array(z.int()).readonly(),
});
export type Offer = z.infer<typeof OfferSchema>;

const InheritedRegistrySchema = RegistrySettingsSchema.pick({ driver: true, path: true }).extend({
  /** Of the picture that a load balancer had in force; 0: of none, or of a registry that nobody has written to. */
  revision: z.int().default(0),
});
/** What registry a predecessor had; nothing of it is secret. */
export type InheritedRegistry = z.infer<typeof InheritedRegistrySchema>;

const InheritanceSchema = z.object({
  starter: LivingProcessSchema.nullable(),
  offers: z.array(OfferSchema),
  /** Of a predecessor that relays requests with it. */
  relayKey: z.string().optional(),
  registry: InheritedRegistrySchema.optional(),
});
type Content = z.infer<typeof InheritanceSchema>;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a process has from the one that it replaces; nothing, when it replaces none. */
export class Inheritance {
  readonly isSuccessor: boolean;
  /** The `heimdall up` that the predecessor belonged to; it must not be outlived. */
  readonly starter: LivingProcess | null;
  /** Known to a process, its predecessor and its successor alone. */
  readonly relayKey: string;
  /** Where the predecessor has its registry; undefined when there is none, or it did not say. */
  readonly registry: InheritedRegistry | undefined;
  #offers: readonly Offer[];

  constructor(content: Content | null) {
    this.isSuccessor = content !== null;
    this.starter = content?.starter ?? null;
    this.relayKey = content?.relayKey ?? randomUUID();
    this.registry = content?.registry;
    this.#offers = content?.offers ?? [];
  }

  /** Takes it out of the environment: it is of this process alone. */
  static from(env: NodeJS.ProcessEnv): Inheritance {
    const text = env[VARIABLE];
    Reflect.deleteProperty(env, VARIABLE);
    return new Inheritance(text === undefined ? null : InheritanceSchema.parse(JSON.parse(text)));
  }

  static asVariable(content: Content): NodeJS.ProcessEnv {
    return { [VARIABLE]: JSON.stringify(content) };
  }

  /** Whether there are sockets that listen on the address. */
  has(purpose: string, address: Address): boolean {
    return this.#offers.some((offer) => fits(offer, purpose, address));
  }

  /** The sockets that listen on the address; they are the caller's from now on. */
  take(purpose: string, address: Address): readonly number[] {
    const isIt = (offer: Offer) => fits(offer, purpose, address);
    const taken = this.#offers.filter(isIt);
    this.#offers = this.#offers.filter((offer) => !isIt(offer));
    return taken.flatMap(({ sockets }) => sockets);
  }

  /** Closes what nobody took: connections would wait there for ever. */
  closeRest(): void {
    for (const socket of this.#offers.flatMap(({ sockets }) => sockets)) closeSync(socket);
    this.#offers = [];
  }

  /** Tells the predecessor that nothing stands in the way, and resolves when it has given up what only one can have, or is gone. */
  async untilGo(): Promise<void> {
    if (!this.isSuccessor || !process.connected) return;
    const go = new Promise<void>((resolve) => {
      process.on('message', (message) => {
        if (message === GO) resolve();
      });
      process.once('disconnect', resolve);
    });
    const prepared: Message = { type: 'prepared' };
    process.send?.(prepared);
    await go;
  }
}

/** Port 0 stands for any: then the one that the predecessor got stays. */
function fits(offer: Offer, purpose: string, { host, port }: Address): boolean {
  return offer.purpose === purpose && offer.host === host && (offer.port === port || port === 0);
}
