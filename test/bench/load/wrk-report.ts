import { z } from 'zod';

/** Counted by wrk itself; every one of them makes a run worthless. */
const ErrorsSchema = z.object({
  connect: z.int(),
  read: z.int(),
  write: z.int(),
  timeout: z.int(),
  /** Answers that are neither 2xx nor 3xx. */
  status: z.int(),
});

const WrkReportSchema = z.object({
  requests: z.int(),
  durationUs: z.number().positive(),
  p50Us: z.number(),
  p90Us: z.number(),
  p99Us: z.number(),
  errors: ErrorsSchema,
});

/** What one run of wrk has measured. */
export type WrkReport = z.infer<typeof WrkReportSchema>;

/** Ends a wrk script: its last line of output then holds the numbers unrounded, which its own table does not. */
export const REPORT_LUA = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"p50Us":%d,"p90Us":%d,"p99Us":%d,"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;

/**
 * Reads the output of a run whose script ended with `REPORT_LUA`.
 * @throws {Error} when it has no report, or one of a run with errors: numbers of failed requests compare nothing.
 */
export function parseWrkOutput(output: string): WrkReport {
  const line = output.split('\n').findLast((line) => line.startsWith('{'));
  if (line === undefined) throw new Error(`wrk has reported nothing: ${output.trim() || 'no output'}`);
  const report = WrkReportSchema.parse(JSON.parse(line));
  const errors = Object.entries(report.errors).filter(([, count]) => count > 0);
  if (errors.length > 0) throw new Error(`failed requests: ${errors.map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
  if (report.requests === 0) throw new Error('not one request was answered');
  return report;
}
