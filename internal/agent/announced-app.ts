import type { AppSettings } from './settings.ts';

/** One app of an agent: how it is, and how it stands with those who were told of it. */
export class AnnouncedApp {
  readonly settings: AppSettings;
  /** For people; no other app of the agent has it: `web on port 8080`. */
  readonly name: string;
  /** Null: no probe has ended yet. */
  isUp: boolean | null = null;
  cause = '';
  /** Of its instance; null while it is not announced. */
  id: string | null = null;
  /** Somebody has removed it: it is not announced again by itself. */
  isRemoved = false;
  /** Why it was not taken last; told once. */
  refusal: string | null = null;
  /** In a row. */
  refusals = 0;
  /** When it may be announced again, by the monotonic clock. */
  notBefore = Number.NEGATIVE_INFINITY;

  constructor(settings: AppSettings) {
    this.settings = settings;
    const { service, host, port } = settings;
    this.name = `${service} on ${host === undefined ? 'port ' : `${host}:`}${port}`;
  }

  /** Whether it is to be announced as soon as it may. */
  get isWanted(): boolean {
    return this.isUp === true && this.id === null && !this.isRemoved;
  }

  taken(id: string): void {
    this.id = id;
    this.refusal = null;
    this.refusals = 0;
  }
}
