import fc from 'fast-check';
import { disagreement } from './compare.ts';
import { checkForwardedRequest, checkForwardedResponse } from './forwarding.ts';
import { requestSamples, responseSamples, type Sample } from './samples.ts';
import { NodeReader, nodeResponse } from './node-reading.ts';
import type { Reading } from './reading.ts';
import { wireRequests, wireResponse } from './wire-reading.ts';

/** How often the two parsers read what; to see that a run tests something. */
export interface Tally {
  messages: number;
  /** Both read at least one whole message, and alike. */
  accepted: number;
  /** The wire parser refused, whatever Node's did. */
  refused: number;
}

export interface Runs {
  readonly seed: number;
  readonly count: number;
}

const node = new NodeReader();

/** @returns what is wrong with how the wire parser reads a sample of requests, or how it passes on, or null. */
export async function checkRequests(sample: Sample, tally?: Tally): Promise<string | null> {
  const { text, cuts } = sample;
  const wire = wireRequests(text, cuts);
  // Behind the message that ends the connection nothing counts: Node would complain about it.
  const theirs = await node.requests(text.slice(0, wire.consumed));
  return judged(wire, theirs, tally) ?? (await checkForwardedRequest(sample, node));
}

/** The same for a response. */
export async function checkResponse(sample: Sample, tally?: Tally): Promise<string | null> {
  const { text, cuts, method } = sample;
  const wire = wireResponse(text, cuts, method);
  const theirs = await nodeResponse(text.slice(0, wire.consumed), method);
  return judged(wire, theirs, tally) ?? (await checkForwardedResponse(sample));
}

/** @throws with the shortest sample that was found and is read wrongly, and the seed to find it again. */
export async function fuzz(side: 'requests' | 'responses', { seed, count }: Runs, tally: Tally): Promise<void> {
  const [samples, check] = side === 'requests' ? [requestSamples(), checkRequests] : [responseSamples(), checkResponse];
  const property = fc.asyncProperty(samples, async (sample) => {
    const problem = await check(sample, tally);
    if (problem !== null) throw new Error(problem);
  });
  await fc.assert(property, { seed, numRuns: count });
}

function judged(wire: Reading, theirs: Reading, tally: Tally | undefined): string | null {
  if (tally !== undefined) {
    tally.messages += 1;
    if (wire.messages.some(({ complete }) => complete !== 'no')) tally.accepted += 1;
    if (typeof wire.ending === 'object') tally.refused += 1;
  }
  return disagreement(wire, theirs);
}
