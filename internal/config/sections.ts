import type { Service } from '../model/service.ts';
import type { Config } from './schema.ts';

/** What could be parsed: a section or a service with faults of its own is undefined. */
export interface Sections {
  readonly manager?: Config['manager'] | undefined;
  readonly proxy?: Config['proxy'] | undefined;
  readonly node?: Config['node'] | undefined;
  readonly ports?: Config['ports'] | undefined;
  readonly registry?: Config['registry'] | undefined;
  readonly alerts?: Config['alerts'] | undefined;
  readonly services: readonly (Service | undefined)[];
}
