// Apart from `engines.ts`, which tests of whole processes load, too: these load no engine themselves.
import type { Engine } from '../../internal/proxy/engine.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import { WireEngine } from '../../internal/proxy/wire/engine.ts';
import { engineName } from './engines.ts';

/** The engine of the suite that runs. */
export function currentEngine(options: ConstructorParameters<typeof MiddlewareEngine>[0]): Engine {
  return engineName() === 'wire' ? new WireEngine(options) : new MiddlewareEngine(options);
}
