import { z } from 'zod';

/** What a process tells the one that started it, over the channel between them. */
export const ReadySchema = z.object({
  type: z.literal('ready'),
  /** Where it listens, by name: `{ api: "http://127.0.0.1:7000" }`. */
  addresses: z.record(z.string(), z.string()),
});
export type Ready = z.infer<typeof ReadySchema>;
