import { z } from 'zod';
import type { AppFolder } from './app-folder.ts';
import { commandOf } from './command-line.ts';
import type { CommandGuess } from './guess.ts';

const PackageSchema = z.object({
  name: z.string().optional().catch(undefined),
  main: z.string().optional().catch(undefined),
  scripts: z.record(z.string(), z.string()).default({}).catch({}),
  engines: z.object({ node: z.string().optional() }).default({}).catch({}),
});
export type Package = z.infer<typeof PackageSchema>;

/** In this order: what is meant for production first. */
const SCRIPTS = ['start:prod', 'start:production', 'start', 'serve', 'preview'] as const;
const MAINS = [
  'server',
  'app',
  'index',
  'main',
  'dist/server',
  'dist/index',
  'dist/main',
  'src/server',
  'src/index',
  'src/app',
];
const ENDINGS = ['.js', '.mjs', '.cjs', '.ts'];
/** Programs that take no port from their environment, and by which of their commands they serve. */
const PORT_AS_OPTION: Readonly<Record<string, string>> = { vite: 'preview', astro: 'preview', ng: 'serve' };

/** Null when there is none, or it is not JSON. */
export function packageOf({ texts }: AppFolder): Package | null {
  const text = texts.get('package.json');
  if (text === undefined) return null;
  try {
    return PackageSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function guessNode(folder: AppFolder): CommandGuess | null {
  const described = packageOf(folder);
  const script = described && SCRIPTS.find((name) => described.scripts[name] !== undefined);
  if (described && script) return fromScript(folder, described, script);
  const main = mainOf(folder, described);
  if (main === null) return null;
  return { env: {}, command: ['node', main], from: described?.main === main ? 'main of package.json' : main };
}

/** The program itself rather than npm, where that is the same: signals and exit codes are its own then. */
function fromScript({ files }: AppFolder, { scripts }: Package, name: string): CommandGuess | null {
  const from = `scripts.${name} of package.json`;
  const line = commandOf(scripts[name] ?? '');
  if (line === null) return null;
  const [program = '', ...args] = line.command;
  if (program === 'sh' || scripts[`pre${name}`] !== undefined) {
    return { env: {}, command: ['npm', 'run', '--silent', name], from };
  }
  if (program === 'nodemon') return { env: line.env, command: ['node', ...args], from: `${from}, without nodemon` };
  const installed = `node_modules/.bin/${program}`;
  const command = [files.has(installed) ? installed : program, ...args];
  const takesOption =
    PORT_AS_OPTION[program] === args[0] && args[0] !== undefined && !args.join(' ').includes('--port');
  return { env: line.env, command: takesOption ? [...command, '--port', '{port}'] : command, from };
}

function mainOf({ files }: AppFolder, described: Package | null): string | null {
  const named = described?.main?.replace(/^\.\//, '');
  if (named !== undefined && files.has(named)) return named;
  const candidates = MAINS.flatMap((name) => ENDINGS.map((ending) => name + ending));
  return candidates.find((candidate) => files.has(candidate)) ?? null;
}
