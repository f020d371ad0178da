import { randomUUID } from 'node:crypto';
import { HeimdallError } from '../../model/errors.ts';
import { unlessRefused } from './faults.ts';
import { FORM } from './forms.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import type { Entry, Store } from './store.ts';

/** What keys and values mean. Grows with a change that an older heimdall would misread, or spoil. */
const FORMAT = 1;

/**
 * Makes the registry's id unless there is one: whoever comes first.
 * @throws {HeimdallError} REGISTRY_BROKEN: it is of a newer heimdall; REGISTRY_UNAVAILABLE.
 */
export async function ensureId(store: Store): Promise<void> {
  const [{ entry }, format] = await Promise.all([store.get(NAMES.id), store.get(NAMES.format)]);
  assertFormat(format.entry);
  if (entry !== null) return;
  const writes = [
    { put: NAMES.id, value: randomUUID() },
    { put: NAMES.format, value: FORMAT },
  ];
  // when others are quicker, or the answer is lost, there is one, too
  await store.commit([{ name: NAMES.id, created: 0 }], writes).catch(unlessRefused);
}

/** @param entry - null: the first one. @throws {HeimdallError} REGISTRY_BROKEN. */
export function assertFormat(entry: Entry | null): void {
  if (entry === null) return;
  const format = valueOf(FORM.number, entry);
  if (format <= FORMAT) return;
  throw new HeimdallError(
    'REGISTRY_BROKEN',
    `The registry below ${entry.prefix} was made by a newer heimdall: its format is ${format}, this one knows ${FORMAT}. ` +
      'Install the newer version again, or set registry.etcd.prefix to another one.',
    { format, known: FORMAT },
  );
}
