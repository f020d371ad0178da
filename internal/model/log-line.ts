import { z } from 'zod';

export const LOG_STREAMS = ['out', 'err'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

/** A line that an instance has written to its standard output or standard error. */
export const LogLineSchema = z.object({ stream: z.enum(LOG_STREAMS), text: z.string() }).meta({ id: 'LogLine' });
export type LogLine = Readonly<z.infer<typeof LogLineSchema>>;
