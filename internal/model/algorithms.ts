/** What a service may be balanced by; apart from its schema, for who needs the names alone. */
export const ALGORITHMS = [
  'round-robin',
  'weighted-round-robin',
  'sticky-round-robin',
  'ip-url-hash',
  'least-connections',
  'least-time',
  'random-two-choices',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
