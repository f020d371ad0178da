import { hostname } from 'node:os';
import { NodeNameSchema } from '../model/node.ts';
import type { Config } from './schema.ts';

const UNNAMED = 'node';

/** What the configuration calls this machine, or else its host name as far as that makes a name. */
export function nodeNameOf({ node }: Pick<Config, 'node'>): string {
  if (node.name !== undefined) return node.name;
  const [label = ''] = hostname().toLowerCase().split('.');
  return NodeNameSchema.safeParse(label).success ? label : UNNAMED;
}
