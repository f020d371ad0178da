import { z } from 'zod';

/** Names that become part of a registry key and of log lines. */
export const NodeNameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    'expected 1 to 63 lower-case letters, digits, dots, dashes and underscores',
  );

/** What a manager tells of its node with every beat. */
export const NodeNoteSchema = z.object({
  /** Where the other nodes reach its API, such as `http://10.0.0.5:7000`; null: nowhere. */
  url: z.string().nullable(),
  /** Where its instances are reached. */
  address: z.string(),
  /** Of heimdall. */
  version: z.string(),
  /** Services that it can spawn instances of. */
  services: z.array(z.string()),
  /** That it keeps. */
  instances: z.int(),
  cores: z.int(),
  /** How busy its cores were lately: the load average of one minute, divided by them. */
  load: z.number(),
});
export type NodeNote = Readonly<z.infer<typeof NodeNoteSchema>>;

/** A host with a manager. */
export interface NodeRecord extends NodeNote {
  readonly name: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Whether its manager gives signs of life. */
  readonly alive: boolean;
  /** When it gave the last one; epoch milliseconds. */
  readonly seenAt: number;
}
