/** A command as it is typed, in its parts. */
export interface CommandLine {
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** `$PORT`, `${PORT}` and `${PORT:-3000}`: the port that heimdall gives to an instance. */
const PORT_VARIABLE = /\$PORT\b|\$\{PORT(:?[-=][^}]*)?\}/g;
/** What only a shell understands, outside of quotes. */
const FOR_A_SHELL = /[|&;<>()$`*?~#\n[\]\\]/;
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
/** What numbers after them are ports. */
const PORT_OPTIONS = new Set(['--port', '-p', '--http-port', '--listen', '-l', '--bind', '-b']);
const PORT_AT_END = /^(.*:)?\d{2,5}$/;

/** Words, and variables before them, as a shell would have it; what needs a shell is given to one. Null when there is no word. */
export function commandOf(line: string): CommandLine | null {
  const text = line.trim().replaceAll(PORT_VARIABLE, '{port}');
  if (text === '') return null;
  const words = wordsOf(text);
  if (words === null) return { env: {}, command: ['sh', '-c', line.trim()] };
  const first = words.findIndex((word) => !ASSIGNMENT.test(word));
  if (first === -1) return null;
  const variables = words.slice(0, first).map((word) => ASSIGNMENT.exec(word));
  const env = Object.fromEntries(variables.map((match) => [match?.[1] ?? '', match?.[2] ?? '']));
  return { env, command: withPort(words.slice(first)) };
}

/** What `commandOf` would take for the command. */
export function lineOf(command: readonly string[]): string {
  return command
    .map((word) => (/^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
    .join(' ');
}

/** Null when it takes a shell to tell. */
function wordsOf(text: string): string[] | null {
  const words: string[] = [];
  // a word is made of parts: 'as it is', "as it is but for $ and \", or bare
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/["$`\\]/.test(word.replaceAll(/'[^']*'|"[^"$`\\]*"/g, ''))) return null;
    if (FOR_A_SHELL.test(word.replaceAll(/'[^']*'|"[^"]*"/g, ''))) return null;
    words.push(
      word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
    );
  }
  const quotes = text.replaceAll(/'[^']*'|"[^"]*"/g, '');
  return /['"]/.test(quotes) ? null : words;
}

/** A port that stands there in figures becomes the one of the instance. */
export function withPort(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const option = PORT_OPTIONS.has(words[index - 1] ?? '');
    const [, name, value] = /^(--[a-z-]+)=(.*)$/.exec(word) ?? [];
    if (name !== undefined && value !== undefined && PORT_OPTIONS.has(name)) return `${name}=${portAtEnd(value)}`;
    return option ? portAtEnd(word) : word;
  });
}

function portAtEnd(value: string): string {
  return PORT_AT_END.test(value) ? value.replace(/\d+$/, '{port}') : value;
}
