import { z } from 'zod';

/** Another process has taken this one's place. */
export const ReloadViewSchema = z.object({
  /** Of the process that goes. */
  pid: z.int(),
  successor: z.int(),
});
export type ReloadView = Readonly<z.infer<typeof ReloadViewSchema>>;
