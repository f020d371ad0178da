import { renderCheck } from '../../internal/config/check.ts';
import { loadConfig } from '../../internal/config/load.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import { loadOptions } from '../runtime/arguments.ts';

/** `heimdall check`: a valid configuration goes to standard output, problems to standard error unless JSON is asked for. */
export async function check(config: string | undefined, json: boolean): Promise<void> {
  const result = await loadConfig(loadOptions(config)).catch((error: unknown) => {
    if (error instanceof ConfigError) return error;
    throw error;
  });
  const { ok, text } = renderCheck(result, json ? 'json' : 'text');
  (ok || json ? process.stdout : process.stderr).write(text);
  process.exitCode = ok ? 0 : 1;
}
