import { nearest } from '../../../internal/model/nearest.ts';
import type { Service } from '../../../internal/model/service.ts';
import { UsageError } from '../command-error.ts';
import type { Chosen } from './front-sync.ts';

/** @param names - null: all that are configured. */
export function chosenServices(names: readonly string[] | null): Chosen {
  return (services) => {
    if (names === null) return [...services];
    return names.map((name) => named(name, services));
  };
}

function named(name: string, services: readonly Service[]): Service {
  const found = services.find((service) => service.name === name);
  if (found !== undefined) return found;
  const known = services.map((service) => service.name);
  const near = nearest(name, known);
  const advice = near === undefined ? `there are ${known.join(', ') || 'none'}` : `did you mean ${near}?`;
  throw new UsageError(`no service "${name}" is configured; ${advice}`);
}
