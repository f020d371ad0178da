// For `node --import`: tells on standard error of every module of OpenTelemetry that is loaded, in whichever thread.
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /node_modules\/(@opentelemetry\/[^/]+)/.exec(url) ?? [];
    if (name !== undefined) writeSync(2, `loads ${name}\n`);
    return nextLoad(url, context);
  },
});
