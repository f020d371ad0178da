import { before, describe } from 'node:test';
import type { Engine } from '../../internal/proxy/engine.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import { WireEngine } from '../../internal/proxy/wire/engine.ts';

export type EngineName = 'wire' | 'middleware';

let current: EngineName = 'wire';

/** Of the suite that runs. */
export function engineName(): EngineName {
  return current;
}

/** For a suite about one engine. */
export function useEngine(engine: EngineName): void {
  current = engine;
}

/** The same sentences about each engine: a `ProxySite` that is opened within uses the one whose turn it is. */
export function describeEngines(title: string, body: (engine: EngineName) => void): void {
  for (const engine of ['wire', 'middleware'] as const) {
    describe(`${title} (${engine})`, () => {
      before(() => {
        current = engine;
      });
      body(engine);
    });
  }
}

/** The engine of the suite that runs. */
export function currentEngine(options: ConstructorParameters<typeof MiddlewareEngine>[0]): Engine {
  return current === 'wire' ? new WireEngine(options) : new MiddlewareEngine(options);
}
