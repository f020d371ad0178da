import type { RequestRecord } from '../engine.ts';
import type { LineCollector } from './line-collector.ts';
import { lineFormat, type LineSettings } from './line-format.ts';

/** What an engine is to call with each record; null: nobody wants lines. */
export function recorderOf(
  settings: LineSettings | null,
  collector: LineCollector,
): ((record: RequestRecord) => void) | null {
  if (settings === null) return null;
  const format = lineFormat(settings);
  return (record) => collector.add(format(record));
}
