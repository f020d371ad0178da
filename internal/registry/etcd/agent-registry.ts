import type { HeimdallEvent } from '../../model/event.ts';
import type { Instance } from '../../model/instance.ts';
import type { AgentRegistry } from '../agent-registry.ts';
import type { InstanceChange } from '../registry.ts';
import { EtcdAnnouncements } from './announcements.ts';
import { Changes } from './changes.ts';
import { Commits } from './commits.ts';
import { EventNames, writeEvent } from './events.ts';
import { NAMES } from './names.ts';
import { EtcdReader, type ReaderOptions } from './reader.ts';

interface AgentRegistryOptions extends Omit<ReaderOptions, 'told'> {
  /** Whose side it is. */
  readonly agent: string;
}

/** An agent's side of the registry in etcd: it announces instances, and changes no others. */
export class EtcdAgentRegistry extends EtcdReader implements AgentRegistry {
  readonly announcements: EtcdAnnouncements;
  readonly #commits: Commits;
  readonly #changes: Changes;
  readonly #eventNames = new EventNames();

  constructor({ agent, ...options }: AgentRegistryOptions) {
    super({ ...options, told: null });
    const { store, mirror, clock } = options;
    const name = nameOf(agent);
    this.#commits = new Commits({ store, mirror, tenure: null, node: name });
    const { instances, pictures } = this;
    this.#changes = new Changes({ mirror, instances, pictures, node: name });
    this.announcements = new EtcdAnnouncements({
      store,
      mirror,
      instances,
      commits: this.#commits,
      clock,
      expires: ({ agent: other }) => other !== null && this.#hasWritten(other.id),
    });
  }

  update(id: string, change: InstanceChange): Promise<{ instance: Instance; revision: number }> {
    return this.during(this.#commits.run(() => this.#changes.update(id, change)));
  }

  remove(id: string): Promise<void> {
    return this.during(this.#commits.run(() => this.#changes.remove(id, 0)));
  }

  recordEvent(event: HeimdallEvent): Promise<void> {
    return this.during(writeEvent(this.store, this.#eventNames, event));
  }

  /** Whether an agent writes here itself; one that tells managers is silent as well when there are none. */
  #hasWritten(agent: string): boolean {
    return this.mirror.get(NAMES.commit(nameOf(agent))) !== null;
  }
}

/** Of an agent, among those who commit; no node has such a name. */
function nameOf(agent: string): string {
  return `agent ${agent}`;
}
