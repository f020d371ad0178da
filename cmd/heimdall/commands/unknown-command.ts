import type { Command } from 'commander';
import { nearest } from '../../../internal/model/nearest.ts';

/** A slip in `servers lits` is no argument too many for `servers list`, which a mere `servers` means. */
export function refuseUnknown(group: Command): void {
  group.hook('preSubcommand', () => {
    const [word] = group.args;
    const names = group.commands.map((command) => command.name());
    if (word === undefined || word.startsWith('-') || names.includes(word)) return;
    const meant = nearest(word, names);
    const advice = meant === undefined ? `there are ${names.join(', ')}` : `Did you mean ${meant}?`;
    group.error(`error: unknown command '${word}' of 'heimdall ${group.name()}'\n(${advice})`);
  });
}
