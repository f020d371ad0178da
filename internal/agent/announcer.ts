import type { SignOfLife } from '../registry/signs-of-life.ts';
import type { AppSettings } from './settings.ts';

/** An app that is in rotation. */
export interface Announced {
  /** Of its instance. */
  readonly id: string;
  /** Where load balancers reach it. */
  readonly host: string;
}

/** What an agent has to know after a sign of life; ids of instances. */
export interface Reply {
  /** They are not there: to be announced again. */
  readonly unknown: readonly string[];
  /** Somebody has removed them: they stay out. */
  readonly removed: readonly string[];
}

/** What was asked for is refused for a reason that is the app's own: others may fare better. */
export class AnnouncementRefused extends Error {}

/**
 * Where an agent announces its apps. Every promise rejects with a reason in words when nobody takes the call; what becomes of
 * it then is not known, and all calls may be repeated.
 */
export interface Announcer {
  /** Between two signs of life, in milliseconds. */
  readonly intervalMs: number;
  /** In words, such as `http://10.0.0.5:7000`. */
  readonly place: string;
  /** @throws {AnnouncementRefused} */
  announce(app: AppSettings): Promise<Announced>;
  beat(signs: readonly SignOfLife[]): Promise<Reply>;
  /** The acknowledged drain: resolves when no request is on its way to the instances. */
  withdraw(ids: readonly string[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
