import { z } from 'zod';
import type { Told } from './told.ts';

/** Another process has taken this one's place. */
export const ReloadViewSchema = z
  .object({
    pid: z.int().describe('Of the process that goes.'),
    successor: z.int(),
  })
  .meta({ id: 'Reload' });
export type ReloadView = Told<z.infer<typeof ReloadViewSchema>>;
