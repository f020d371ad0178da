import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join, relative, sep } from 'node:path';
import { lineOf } from './command-line.ts';
import type { Plan } from './plan.ts';

/** What to run next, in words that can be copied. @param file - the configuration that was written. */
export function nextSteps(file: string, { name, ports, health }: Plan): string {
  const folder = relative(process.cwd(), dirname(file));
  const cd = folder === '' ? '' : `${lineOf(['cd', folder])} && `;
  const config = basename(file) === 'config.json' ? '' : ` ${lineOf(['--config', basename(file)])}`;
  const heimdall = invocation(process.argv[1] ?? '', process.env['PATH'] ?? '');
  const check = health === 'tcp' ? 'a connection' : `GET ${health}`;
  return `${file} is written; instances of ${name} are checked by ${check}.

Next:
  ${cd}${heimdall} up${config}
  curl http://localhost:${ports.proxy}/
and http://localhost:${ports.manager}/ is where to see and steer it.`;
}

/** How heimdall was called, as the next call can be written. @param script - absolute path of what Node runs. */
function invocation(script: string, path: string): string {
  if (script.split(sep).includes('node_modules')) return 'npx heimdall';
  if (path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, 'heimdall')))) return 'heimdall';
  const wrapper = join(dirname(script), '..', '..', 'bin', 'heimdall');
  return existsSync(wrapper) ? wrapper : 'heimdall';
}
