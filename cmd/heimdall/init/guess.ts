import type { AppFolder } from './app-folder.ts';
import type { CommandLine } from './command-line.ts';
import { guessDockerfile, guessProcfile } from './declared-command.ts';
import { guessNode, packageOf } from './node-app.ts';
import { guessPython } from './python-app.ts';

export interface CommandGuess extends CommandLine {
  /** What told it. */
  readonly from: string;
}

export interface Guess {
  /** Of the service. */
  readonly name: string;
  /** Null when nothing tells how to start the app. */
  readonly command: CommandGuess | null;
  /** Paths that the sources mention and that look like health checks, the likeliest first. */
  readonly healthPaths: readonly string[];
  /** What may stand in the way, for people. */
  readonly notes: readonly string[];
}

/** The likeliest first. */
export const HEALTH_PATHS = [
  '/healthz',
  '/health',
  '/api/health',
  '/api/healthz',
  '/health/ready',
  '/readyz',
  '/livez',
  '/ready',
  '/actuator/health',
  '/healthcheck',
  '/_health',
  '/up',
  '/ping',
  '/status',
] as const;

const LONGEST_NAME = 63;
const FIXED_PORT = /\.listen\(\s*(\d{2,5})\b/;

/** What the folder of an app tells about how to run it. @param nodeMajor - of the Node that instances will find. */
export function guessOf(folder: AppFolder, nodeMajor: number): Guess {
  const command =
    guessProcfile(folder) ??
    guessNode(folder) ??
    guessPython(folder) ??
    guessProgram(folder) ??
    guessDockerfile(folder);
  const sources = [...folder.texts].filter(([file]) => file !== 'package.json').map(([, text]) => text);
  return {
    name: serviceName(packageOf(folder)?.name?.replace(/^@[^/]*\//, '') ?? folder.name),
    command,
    healthPaths: HEALTH_PATHS.filter((path) => sources.some((text) => mentions(text, path))),
    notes: [...fixedPort(sources), ...otherNode(folder, nodeMajor)],
  };
}

/** The only compiled program there is. */
function guessProgram({ programs }: AppFolder): CommandGuess | null {
  const [program, ...others] = programs;
  if (program === undefined || others.length > 0) return null;
  return { env: {}, command: [`./${program}`], from: program };
}

export function serviceName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, LONGEST_NAME);
  return name.replace(/-+$/, '') || 'web';
}

function mentions(text: string, path: string): boolean {
  return [`'${path}'`, `"${path}"`, `\`${path}\``].some((quoted) => text.includes(quoted));
}

function fixedPort(sources: readonly string[]): string[] {
  const port = sources.map((text) => FIXED_PORT.exec(text)?.[1]).find((found) => found !== undefined);
  if (port === undefined || sources.some((text) => /\bPORT\b/.test(text))) return [];
  return [`the sources listen on port ${port} and nowhere read PORT: ${howToListen(Number(port))}`];
}

/** What to change in an app that listens where it wants. */
export function howToListen(port: number): string {
  return `every instance needs a port of its own; have it listen on the one in the variable PORT (in Node: listen(process.env.PORT ?? ${port})), or give it {port} as an argument in the command`;
}

function otherNode(folder: AppFolder, nodeMajor: number): string[] {
  const wanted = packageOf(folder)?.engines.node;
  if (wanted === undefined || /[>*]/.test(wanted)) return [];
  const majors = [...wanted.matchAll(/(?<![.\d])(\d+)/g)].map(([, major]) => Number(major));
  if (majors.length === 0 || majors.includes(nodeMajor)) return [];
  return [
    `package.json asks for Node ${wanted}, but "node" is the one that runs heimdall (${nodeMajor}); to run another, write its path into the command`,
  ];
}
