import { z } from 'zod';

/** Another process has taken this one's place. */
export const ReloadViewSchema = z
  .object({
    pid: z.int().describe('Of the process that goes.'),
    successor: z.int(),
  })
  .meta({ id: 'Reload' });
export type ReloadView = Readonly<z.infer<typeof ReloadViewSchema>>;
