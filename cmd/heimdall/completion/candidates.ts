import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What can stand at the end of a line: words, or names that the shell knows best. */
export interface Candidates {
  readonly words: readonly Candidate[];
  readonly files: boolean;
}

/** What only a running manager can tell; none when there is none. */
export interface Lookups {
  services(): Promise<readonly Candidate[]>;
  /** By id, and by port. */
  instances(): Promise<readonly Candidate[]>;
  nodes(): Promise<readonly Candidate[]>;
}

const FILES = /^(?:file|path|folder)$/;
const NOTHING: Candidates = { words: [], files: false };

/** Where a line is, after all of its words but the last. */
interface Place {
  readonly command: Command;
  /** How many arguments of the command there are already. */
  readonly given: number;
  /** Whose value comes next. */
  readonly option: Option | null;
  /** Nothing is an option behind `--`. */
  readonly isOver: boolean;
}

/** @param words - of the line up to the cursor, without the program; the last one is what is being typed, and may be empty. */
export async function candidatesFor(program: Command, words: readonly string[], lookups: Lookups): Promise<Candidates> {
  const typed = words.at(-1) ?? '';
  const place = placeAfter(program, words.slice(0, -1));
  const found = await whatever(place, typed, lookups);
  return { files: found.files, words: found.words.filter(({ value }) => value.startsWith(typed)) };
}

function placeAfter(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, given: 0, option: null, isOver: false };
  for (const word of words) place = after(place, word);
  return place;
}

function after(place: Place, word: string): Place {
  if (place.option !== null) return { ...place, option: null };
  if (!place.isOver && word === '--') return { ...place, isOver: true };
  if (!place.isOver && word.startsWith('-')) {
    const option = word.includes('=') ? null : optionNamed(place.command, word);
    return { ...place, option: option?.required ? option : null };
  }
  const inner =
    place.given === 0 ? place.command.commands.find((command) => namesOf(command).includes(word)) : undefined;
  return inner ? { ...place, command: inner } : { ...place, given: place.given + 1 };
}

async function whatever(place: Place, typed: string, lookups: Lookups): Promise<Candidates> {
  if (place.option !== null) return valuesOf(place.option, lookups);
  const [, name, value] = place.isOver ? [] : (/^(--[a-z-]+)=(.*)$/.exec(typed) ?? []);
  if (name !== undefined && value !== undefined) {
    const option = optionNamed(place.command, name);
    const { files, words } = option === null ? NOTHING : await valuesOf(option, lookups);
    return { files, words: words.map((word) => ({ ...word, value: `${name}=${word.value}` })) };
  }
  if (!place.isOver && typed.startsWith('-')) return { files: false, words: optionsOf(place.command) };
  const { files, words } = await argumentsOf(place, lookups);
  return { files, words: [...(place.given === 0 ? commandsOf(place.command) : []), ...words] };
}

function commandsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((inner) => ({ value: inner.name(), description: inner.description() }));
}

function optionsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.map((option) => ({ value: option.long ?? option.short ?? '', description: option.description }));
}

async function argumentsOf({ command, given }: Place, lookups: Lookups): Promise<Candidates> {
  const { registeredArguments: known } = command;
  const argument = known[given] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
  if (argument === undefined) return NOTHING;
  const { argChoices } = argument;
  if (argChoices) return { files: false, words: argChoices.map((value) => ({ value, description: '' })) };
  return byName(meaningOf(argument), lookups);
}

/** Some names say more together with what they are described as. */
function meaningOf(argument: Argument): string {
  const name = argument.name();
  if (name === 'instances') return argument.variadic ? 'instance' : '';
  return name === 'name' && argument.description.startsWith('a service') ? 'either' : name;
}

async function valuesOf({ argChoices, flags, long }: Option, lookups: Lookups): Promise<Candidates> {
  if (argChoices) return { files: false, words: argChoices.map((value) => ({ value, description: '' })) };
  return byName(long === '--service' ? 'service' : (/[<[]([a-z]+)/.exec(flags)?.[1] ?? ''), lookups);
}

async function byName(name: string, lookups: Lookups): Promise<Candidates> {
  if (FILES.test(name)) return { files: true, words: [] };
  if (name === 'service') return { files: false, words: await lookups.services() };
  if (name === 'node') return { files: false, words: await lookups.nodes() };
  if (name === 'instance') return { files: false, words: await lookups.instances() };
  if (name !== 'either') return NOTHING;
  const found = await Promise.all([lookups.services(), lookups.instances()]);
  return { files: false, words: found.flat() };
}

function optionNamed(command: Command, flag: string): Option | null {
  return command.options.find(({ short, long }) => flag === short || flag === long) ?? null;
}

function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}
