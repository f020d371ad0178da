import { z } from 'zod';
import type { AddedChannel } from './added-channel.ts';
import { type Alert, type Notification, SEVERITIES } from './alert.ts';
import type { AlertControls } from './book.ts';

const AlertSchema = z.object({
  key: z.string(),
  severity: z.enum(SEVERITIES),
  title: z.string(),
  cause: z.string().optional(),
  service: z.string().optional(),
  instance: z.string().optional(),
  node: z.string().optional(),
  outOf: z.int().optional(),
  at: z.number(),
}) satisfies z.ZodType<Alert>;

/** One time that a condition held, as it is kept. */
export const OutageSchema = z.object({
  id: z.string(),
  alert: AlertSchema,
  /** Epoch milliseconds; null while it holds. */
  resolvedAt: z.number().nullable(),
  /** People were told that it is firing, and not yet that it ended. */
  told: z.boolean(),
  /** When messages announced it, in epoch milliseconds, oldest first. */
  announced: z.array(z.number()),
  occurrences: z.int(),
  /** It holds, or there is something left to tell of it. */
  open: z.boolean(),
});
export type Outage = z.infer<typeof OutageSchema>;

export const NotificationSchema = z.object({
  id: z.string(),
  at: z.number(),
  level: z.enum([...SEVERITIES, 'resolved']),
  subject: z.string(),
  text: z.string(),
  entries: z.array(
    z.object({
      alert: AlertSchema,
      state: z.enum(['firing', 'resolved']),
      resolvedAt: z.number().nullable(),
      occurrences: z.int(),
    }),
  ),
}) satisfies z.ZodType<Notification>;

/** A message that one channel is to get. */
export interface Delivery {
  /** The notifier's name. */
  readonly channel: string;
  readonly notification: Notification;
}

export interface AlertChanges {
  /** New or changed. */
  readonly outages: readonly Outage[];
  /** Ids of outages that whoever takes over next may have. */
  readonly released: readonly string[];
  readonly made: readonly Delivery[];
  /** Delivered, or given up. */
  readonly settled: readonly Delivery[];
}

export interface Inheritance {
  /** Open ones only, oldest first. */
  readonly outages: readonly Outage[];
  /** Oldest first. */
  readonly deliveries: readonly Delivery[];
}

/** Keeps what must survive this process. Every row belongs to the process that wrote it last. */
export interface AlertStore {
  /** All or nothing. */
  save(changes: AlertChanges): Promise<void>;
  /** Makes this process's own what those have left that were of its kind and are gone; nobody else gets it then. */
  takeOver(): Promise<Inheritance>;
  /** What people have said, by whichever process. */
  controls(): Promise<AlertControls>;
  /** The channels that came through the API. */
  channels(): Promise<AddedChannel[]>;
}
