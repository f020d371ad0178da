import { HeimdallError } from '../model/errors.ts';
import type { InstanceSettings, ServiceSettings } from '../model/settings.ts';
import type { Terms } from '../server/terms.ts';
import { type Differences, differencesOf } from './differences.ts';
import { entityTag, matchesStrongly, type WantedTags } from './entity-tag.ts';

type Settings = ServiceSettings | InstanceSettings;

/** What a deed was about, as in events. */
export interface DeedSubject {
  readonly service: string;
  /** Of an instance; null: it is about the service. */
  readonly id: string | null;
}

interface DeedOptions {
  /** What the state must be for the deed to be done; null: whatever it is. */
  readonly ifMatch: WantedTags | null;
  readonly actor: string | null;
  /** Keeps what is known of the deed now. */
  readonly tell: (deed: Deed) => Promise<void>;
}

/** What a request changes, for the audit: whoever carries it out says what it was. */
export class Deed implements Terms<Settings> {
  readonly #options: DeedOptions;
  #actor: string | null;
  #subject: DeedSubject | null = null;
  #words: string | null = null;
  #differences: Differences | null = null;
  #isTold = false;
  #tellsChange = false;

  constructor(options: DeedOptions) {
    this.#options = options;
    this.#actor = options.actor;
  }

  /** What the client calls itself. */
  get actor(): string | null {
    return this.#actor;
  }

  get subject(): DeedSubject | null {
    return this.#subject;
  }

  /** In words that go on after somebody's name; null: nothing was done as far as is known. */
  get words(): string | null {
    return this.#words;
  }

  get differences(): Differences | null {
    return this.#differences;
  }

  /** Whether it was told before its end. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** The name in the body counts when there is none in the head. */
  namedBy(name: string): void {
    this.#actor ??= name;
  }

  /** @throws {HeimdallError} PRECONDITION_FAILED. */
  permit(present: Settings): void {
    this.#subject = subjectOf(present);
    const { ifMatch } = this.#options;
    const etag = entityTag(present);
    if (ifMatch === null || matchesStrongly(ifMatch, etag)) return;
    const message = `${nameOf(present)} is not in the state that If-Match asks for: somebody has changed it`;
    throw new HeimdallError('PRECONDITION_FAILED', message, { etag, current: present });
  }

  changed(before: Settings, after: Settings): void {
    this.#subject = subjectOf(after);
    this.#differences = differencesOf(before, after);
    this.#words ??= wordsFor(after, this.#differences);
    if (this.#tellsChange) void this.tellNow(this.#words);
  }

  /** @param words - what was done, as it goes on after somebody's name; in place of what `changed` made of it. */
  did(words: string, subject: DeedSubject | null = this.#subject, differences = this.#differences): void {
    this.#words = words;
    this.#subject = subject;
    this.#differences = differences;
  }

  /** For what goes on for long after the change: that is told at once, and the end only when it is a fault. */
  tellChange(): void {
    this.#tellsChange = true;
  }

  /** For what cannot be told at its end, because the registry is another process's then. */
  async tellNow(words: string): Promise<void> {
    this.did(words);
    this.#isTold = true;
    await this.#options.tell(this);
  }
}

function nameOf(settings: Settings): string {
  return 'name' in settings ? settings.name : settings.id;
}

function subjectOf(settings: Settings): DeedSubject {
  return 'name' in settings ? { service: settings.name, id: null } : { service: settings.service, id: settings.id };
}

function wordsFor(settings: Settings, { before, after }: Differences): string {
  const name = nameOf(settings);
  const keys = Object.keys(after);
  if (keys.length === 0) return `changed nothing of ${name}`;
  if (keys.length > 1 || !('name' in settings)) return `changed ${name}: ${keys.map(change).join(', ')}`;
  if ('release' in after) return `began ${deploymentWords(settings)}`;
  if ('instances' in after)
    return `scaled ${name} from ${String(before['instances'])} to ${String(after['instances'])}`;
  if ('paused' in after) return after['paused'] === true ? `paused ${name}` : `resumed ${name}`;
  return `changed ${name}: ${keys.map(change).join(', ')}`;

  function change(key: string): string {
    return `${key} from ${String(before[key])} to ${String(after[key])}`;
  }
}

function deploymentWords({ name, release: { deployment, version } }: ServiceSettings): string {
  return `deployment ${deployment} of ${name}: ${version ?? 'what is configured'}`;
}
