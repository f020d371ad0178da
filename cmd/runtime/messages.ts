import { z } from 'zod';

/** Where a process listens, by name: `{ api: "http://127.0.0.1:7000" }`. */
const AddressesSchema = z.record(z.string(), z.string());

/** What a process tells the one that started it, over the channel between them. */
export const MessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), addresses: AddressesSchema }),
  /** Of a successor: nothing stands in its way, and it waits for the word to begin. */
  z.object({ type: z.literal('prepared') }),
  /** To `heimdall up`: a successor has taken over, which it finds in the register. */
  z.object({ type: z.literal('succeeded') }),
  z.object({ type: z.literal('failed'), reason: z.string() }),
]);
export type Message = z.infer<typeof MessageSchema>;
export type Ready = Extract<Message, { readonly type: 'ready' }>;

/** What the one that started a process tells it: a successor may begin. */
export const GO = 'go';
