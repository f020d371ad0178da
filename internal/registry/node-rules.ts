import { HeimdallError } from '../model/errors.ts';
import type { NodeRecord } from '../model/node.ts';

export function nodeNotFound(name: string, nodes: readonly Pick<NodeRecord, 'name'>[]): HeimdallError {
  const names = nodes.map((node) => node.name);
  const message = `there is no node ${name}; there are: ${names.join(', ')}`;
  return new HeimdallError('NODE_NOT_FOUND', message, { node: name, nodes: names });
}

export function nodePresent(name: string): HeimdallError {
  const message = `the manager of node ${name} gives signs of life: stop it first, and what runs there with it`;
  return new HeimdallError('NODE_PRESENT', message, { node: name });
}
