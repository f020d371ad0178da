import { z } from 'zod';
import type { AddedChannel } from './added-channel.ts';
import { type Alert, SEVERITIES } from './alert.ts';
import type { Outage } from './store.ts';

const NAMES_SOMETHING = 'expected at least one of key, service, instance, node and severity';

/** Which alerts a silence is about: those that agree with everything that is given. */
export const SilenceMatchSchema = z
  .strictObject({
    /** `*` stands for any characters. */
    key: z.string().min(1).max(300).exactOptional(),
    service: z.string().min(1).max(300).exactOptional(),
    instance: z.string().min(1).max(300).exactOptional(),
    node: z.string().min(1).max(300).exactOptional(),
    severity: z.enum(SEVERITIES).exactOptional(),
  })
  .refine((match) => Object.keys(match).length > 0, NAMES_SOMETHING);
export type SilenceMatch = z.infer<typeof SilenceMatchSchema>;

/** For a time, nobody is told of certain alerts. */
export interface Silence {
  readonly id: number;
  readonly match: SilenceMatch;
  /** Epoch milliseconds, as the next one. */
  readonly createdAt: number;
  readonly until: number;
  readonly by: string;
  readonly comment: string;
}

/** Somebody knows of an alert, and deals with it. */
export interface Acknowledgement {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly by: string;
  readonly comment: string;
}

/** An alert in the history. */
export interface AlertRecord {
  readonly id: string;
  readonly alert: Alert;
  readonly resolvedAt: Outage['resolvedAt'];
  /** A message has told people of it. */
  readonly announced: boolean;
  readonly acknowledgement: Acknowledgement | null;
}

/** What people have said of alerts. */
export interface AlertControls {
  /** Those in force. */
  readonly silences: readonly Silence[];
  /** Ids of outages that are not over. */
  readonly acknowledged: ReadonlySet<string>;
}

/** The history of alerts, and what people say of them. */
export interface AlertBook {
  /** Those that began last come first. */
  alerts(query: {
    readonly limit: number;
    readonly state?: 'active' | 'resolved' | undefined;
    readonly service?: string | undefined;
  }): Promise<AlertRecord[]>;
  /** @param name - the id or the key of an alert that is active. */
  acknowledge(name: string, acknowledgement: Acknowledgement): Promise<AlertRecord>;
  /** Those in force, oldest first. */
  silences(): Promise<Silence[]>;
  addSilence(draft: Omit<Silence, 'id'>): Promise<Silence>;
  /** Returns what was removed. */
  removeSilence(id: number): Promise<Silence>;
  /** By name. */
  channels(): Promise<AddedChannel[]>;
  /** In place of the one with the same name, if there is one. */
  putChannel(channel: AddedChannel): Promise<void>;
  /** Returns what was removed. */
  removeChannel(name: string): Promise<AddedChannel>;
}

/** @param now - epoch milliseconds. */
export function isSilenced(alert: Alert, silences: readonly Silence[], now: number): boolean {
  return silences.some(({ match, until }) => until > now && matches(alert, match));
}

function matches(alert: Alert, { key, service, instance, node, severity }: SilenceMatch): boolean {
  return (
    (key === undefined || fits(alert.key, key)) &&
    (service === undefined || service === alert.service) &&
    (instance === undefined || instance === alert.instance) &&
    (node === undefined || node === alert.node) &&
    (severity === undefined || severity === alert.severity)
  );
}

/** Takes time in proportion to the lengths, whatever the pattern: it comes from outside. */
function fits(text: string, pattern: string): boolean {
  const [start = '', ...others] = pattern.split('*');
  const end = others.pop();
  if (end === undefined) return text === pattern;
  if (!text.startsWith(start) || !text.endsWith(end) || text.length < start.length + end.length) return false;
  let rest = text.slice(start.length, text.length - end.length);
  for (const piece of others) {
    const at = rest.indexOf(piece);
    if (at === -1) return false;
    rest = rest.slice(at + piece.length);
  }
  return true;
}
