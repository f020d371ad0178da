import { type Deployment, isOver } from '../../model/deployment.ts';
import { FORM } from './forms.ts';
import type { Mirror } from './mirror.ts';
import { valueOf } from './parse.ts';

/** The parts of deployments that are not over, of all nodes: those that are over stay in the registry, and grow in number. */
export class UnderWay {
  readonly #mirror: Pick<Mirror, 'get' | 'noteOf'>;
  /** Names of keys. */
  readonly #changed: Set<string>;
  readonly #parts = new Map<string, Deployment>();

  constructor(mirror: Pick<Mirror, 'get' | 'noteOf'>) {
    this.#mirror = mirror;
    this.#changed = mirror.noteOf('deployments');
  }

  /** By name of the key. @throws {HeimdallError} REGISTRY_BROKEN naming a key, as long as it cannot be read. */
  parts(): ReadonlyMap<string, Deployment> {
    for (const name of this.#changed) {
      const entry = this.#mirror.get(name);
      const part = entry && valueOf(FORM.deployment, entry);
      if (part === null || isOver(part)) this.#parts.delete(name);
      else this.#parts.set(name, part);
      this.#changed.delete(name);
    }
    return this.#parts;
  }
}
