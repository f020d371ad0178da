import type { Endpoint } from './endpoint.ts';
import type { ProblemCode } from './problem.ts';

const ALWAYS: readonly ProblemCode[] = [
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'INTERNAL',
  'REGISTRY_BROKEN',
  'REGISTRY_UNAVAILABLE',
  'SHUTTING_DOWN',
];
const OF_A_KEY: readonly ProblemCode[] = ['IDEMPOTENCY_KEY_REUSED', 'REQUEST_UNDER_WAY', 'OUTCOME_UNKNOWN'];
const OF_NODES: readonly ProblemCode[] = [
  'NODE_NOT_FOUND',
  'NODE_AWAY',
  'NODE_UNREACHABLE',
  'NODE_FAILED',
  'NODE_LOOP',
];
const OF_A_BODY: readonly ProblemCode[] = ['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** What an endpoint may answer with when it does not do what was asked for. */
export function possibleProblems({ method, description }: Endpoint): ProblemCode[] {
  const ofBody = method === 'POST' || method === 'PATCH' ? OF_A_BODY : [];
  const always = description.isOpen === true ? ALWAYS.filter((code) => code !== 'UNAUTHORIZED') : ALWAYS;
  const ofKey = method === 'POST' ? OF_A_KEY : [];
  const isOnTerms = description.conditional === true && method !== 'GET';
  const ofTerms: ProblemCode[] = isOnTerms ? ['PRECONDITION_FAILED'] : [];
  const { onNode } = description;
  const ofNodes = onNode === undefined ? [] : OF_NODES;
  const ofKeeper: ProblemCode[] = onNode === 'keeper' ? ['AMBIGUOUS_PORT'] : [];
  return [...always, ...ofBody, ...ofKey, ...ofTerms, ...ofNodes, ...ofKeeper, ...(description.problems ?? [])];
}
