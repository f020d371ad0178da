import { z } from 'zod';

/** What the benchmark tells a delayed backend. */
export const OrderSchema = z.discriminatedUnion('type', [
  /** By backend, in the order of the ports. */
  z.object({ type: z.literal('delays'), milliseconds: z.array(z.number().min(0)) }),
  z.object({ type: z.literal('count') }),
]);
export type Order = z.infer<typeof OrderSchema>;

/** The answer to `count`: requests so far, by backend. */
export const CountsSchema = z.array(z.int());
