import { isAbsolute, join, resolve } from 'node:path';
import type { Config } from '../../../../internal/config/schema.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

/** Programs that run the file that is their first argument. */
const INTERPRETERS = /^(?:node|bun|deno|python3?|ruby|php|perl|sh|bash)$/;
const SCRIPT = /\.(?:[cm]?[jt]s|py|rb|php|pl|sh)$/;

interface Command {
  readonly words: readonly string[];
  readonly cwd: string;
}

/** Whether what instances are to run is there. */
export async function checkCommands({ services }: Config, machine: Machine): Promise<Finding[]> {
  const findings = await Promise.all(services.map((service) => checkService(service, machine)));
  return findings.flat();
}

async function checkService(service: Config['services'][number], machine: Machine): Promise<Finding[]> {
  const { name, command, cwd } = service;
  if (command === undefined) return [];
  const about = `service ${name}`;
  const variants = Object.entries(service.versions);
  const all: readonly (readonly [string, Command])[] = [
    ['command', { words: command, cwd }],
    ...variants.map(([version, variant]) => {
      return [`versions["${version}"]`, { words: variant.command ?? command, cwd: variant.cwd ?? cwd }] as const;
    }),
  ];
  const findings: Finding[] = [];
  for (const [key, wanted] of all) {
    const flaw = await flawOf(wanted, machine);
    if (flaw !== null)
      findings.push({
        level: 'broken',
        about,
        message: `${key}: ${flaw}`,
        advice: `correct ${key} of the service, or put it there`,
      });
  }
  return findings.length > 0 ? findings : [well(about, `${command.join(' ')} can be run`)];
}

async function flawOf({ words: [program = '', script], cwd }: Command, machine: Machine): Promise<string | null> {
  if (!(await machine.file(cwd))?.isFolder) return `there is no folder ${cwd}`;
  const places = program.includes('/') ? [resolve(cwd, program)] : machine.path.map((folder) => join(folder, program));
  const found = [];
  for (const place of places) if ((await machine.file(place))?.isFolder === false) found.push(place);
  const [first] = found;
  if (first === undefined)
    return program.includes('/')
      ? `there is no program ${first ?? places[0]}`
      : `there is no program ${program} on the PATH`;
  if (!(await machine.may('execute', first))) return `${first} is not executable`;
  const isScript = script !== undefined && INTERPRETERS.test(program) && SCRIPT.test(script);
  if (!isScript) return null;
  const path = isAbsolute(script) ? script : join(cwd, script);
  return (await machine.file(path)) === null ? `there is no file ${path}` : null;
}
