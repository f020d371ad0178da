import type { Config } from '../../internal/config/schema.ts';
import type { EngineParts, RunningEngine } from './running-engine.ts';

export type CreateEngine = (parts: EngineParts) => RunningEngine;

/** How the configured engine is created; the libraries of the other one are not loaded. */
export async function engineFactory({ proxy }: Config): Promise<CreateEngine> {
  return proxy.engine === 'wire'
    ? (await import('./wire-engine.ts')).wireEngine
    : (await import('./middleware-engine.ts')).middlewareEngine;
}
