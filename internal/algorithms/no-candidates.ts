/** A pick without candidates is a defect of the caller: the pool answers "nobody to pick" before it asks an algorithm. */
export function noCandidates(): never {
  throw new RangeError('a balancer was asked to pick from an empty list of candidates');
}
