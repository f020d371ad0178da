import { HeimdallError } from '../model/errors.ts';

export function nodeNotFound(name: string, names: readonly string[]): HeimdallError {
  const message = `there is no node ${name}; there are: ${names.join(', ')}`;
  return new HeimdallError('NODE_NOT_FOUND', message, { node: name, nodes: names });
}

export function nodeAlive(name: string): HeimdallError {
  const message = `node ${name} is there: stop its manager first, which stops what it runs, unless it was started with --keep`;
  return new HeimdallError('NODE_ALIVE', message, { node: name });
}
