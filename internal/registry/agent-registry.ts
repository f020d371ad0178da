import type { RegistryWriter } from './registry.ts';

/** The side of an agent that reaches the registry itself. */
export type AgentRegistry = Pick<
  RegistryWriter,
  'announcements' | 'snapshot' | 'proxies' | 'manager' | 'update' | 'remove' | 'recordEvent' | 'close'
>;
