import { z } from 'zod';
import { type WebhookChannel, WebhookChannelSchema } from './schema.ts';

/** A webhook as it is written in the configuration, checked and kept as it came. */
export const WebhookSpecSchema = z.unknown().transform((spec, context) => {
  const { data, error } = WebhookChannelSchema.safeParse(spec);
  if (data !== undefined) return { spec, webhook: data };
  for (const { path, message } of error.issues) context.addIssue({ code: 'custom', path, message, input: spec });
  return z.NEVER;
});

/** A channel that came through the API, not from the configuration. */
export interface AddedChannel {
  /** Unique among them. */
  readonly name: string;
  /** As it came. */
  readonly spec: unknown;
  readonly webhook: WebhookChannel;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly by: string;
}
