import { z } from 'zod';
import type { AppFolder } from './app-folder.ts';
import { commandOf, withPort } from './command-line.ts';
import type { CommandGuess } from './guess.ts';

const WordsSchema = z.array(z.string());

/** The process `web` of a Procfile. */
export function guessProcfile({ texts }: AppFolder): CommandGuess | null {
  const line = /^web:\s*(.+)$/m.exec(texts.get('Procfile') ?? '')?.[1];
  const command = line === undefined ? null : commandOf(line);
  return command && { ...command, from: 'Procfile' };
}

/** ENTRYPOINT and CMD of the last stage of a Dockerfile; the port that it exposes becomes that of the instance. */
export function guessDockerfile({ texts }: AppFolder): CommandGuess | null {
  const lines = (texts.get('Dockerfile') ?? '').replaceAll(/\\\r?\n/g, ' ').split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => /^\s*FROM\s/i.test(line)) + 1);
  const last = (name: string) => {
    const pattern = new RegExp(`^\\s*${name}\\s+(.+?)\\s*$`, 'i');
    return stage.map((line) => pattern.exec(line)?.[1]).findLast((value) => value !== undefined);
  };
  const [entry, command, exposed] = [last('ENTRYPOINT'), last('CMD'), last('EXPOSE')];
  const words = [...wordsOf(entry), ...wordsOf(command)];
  if (words.length === 0) return null;
  const port = exposed?.replace(/\/tcp$/, '') ?? '';
  const known = withPort(words).map((word) => (/^\d+$/.test(port) && word === port ? '{port}' : word));
  return { env: {}, command: known, from: 'Dockerfile' };
}

function wordsOf(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!value.startsWith('[')) return commandOf(value)?.command ?? [];
  try {
    return WordsSchema.parse(JSON.parse(value)).map((word) => word.replaceAll(/\$\{?PORT\}?/g, '{port}'));
  } catch {
    return [];
  }
}
