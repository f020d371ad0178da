import { z } from 'zod';
import { headerFault, parseTemplate } from './access-log-template.ts';
import { size, wholeNumber } from './units.ts';

/** Formats that have a name; any other text is a template. */
const NAMED_FORMATS = ['auto', 'json', 'common', 'combined'] as const;

const FORMAT_EXPECTED =
  'expected "json", "common", "combined", "auto" or a template with fields such as "{client} {status} {totalMs}"';

const FormatSchema = z.string().superRefine((format, context) => {
  if (NAMED_FORMATS.some((name) => name === format)) return;
  const message = templateFault(format);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

const HeaderNameSchema = z.string().superRefine((name, context) => {
  const message = headerFault(name);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

/** Where each request gets a line. */
export const AccessLogSchema = z.strictObject({
  /** `stdout`, or a file; relative to the folder of the configuration file, absolute once checked. */
  output: z.string().min(1, 'expected "stdout" or the path of a file').default('stdout'),
  /** `auto`: short text on a terminal, JSON otherwise. */
  format: FormatSchema.default('auto'),
  /** Header fields of the request that JSON lines have besides. */
  headers: z.array(HeaderNameSchema).default([]),
  /** Null: somebody else puts the file aside, such as logrotate. */
  rotation: z
    .strictObject({
      /** A file that would become larger is put aside. Bytes once parsed. */
      maxSize: size().prefault('100mb'),
      /** How many that were put aside are kept. */
      keep: wholeNumber(0, 1_000).default(5),
    })
    .nullable()
    .prefault({}),
});
export type AccessLogSettings = z.infer<typeof AccessLogSchema>;

function templateFault(format: string): string | null {
  if (/\p{Cc}/u.test(format)) return 'expected one line, without control characters';
  const pieces = parseTemplate(format);
  if ('message' in pieces) return pieces.message;
  return pieces.every(({ kind }) => kind === 'text') ? FORMAT_EXPECTED : null;
}
