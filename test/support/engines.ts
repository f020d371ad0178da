import { after, before, describe } from 'node:test';

export type EngineName = 'wire' | 'middleware';

const DEFAULT: EngineName = 'wire';

let current: EngineName = DEFAULT;

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
      after(() => {
        current = DEFAULT; // for the suites of other files in the same process
      });
      body(engine);
    });
  }
}
