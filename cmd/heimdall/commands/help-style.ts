import { type Command, Help, type Option } from 'commander';

/** What many commands take stands below what is special about one. */
const SHARED = ['json', 'manager', 'tokenFile', 'config', 'help'];

const standard = new Help();

/** How the help of every command looks. */
export const HELP_STYLE: Partial<Help> = {
  visibleOptions: (command: Command) => standard.visibleOptions(command).toSorted((a, b) => rankOf(a) - rankOf(b)),
  /** That a switch is off unless it is given goes without saying. */
  optionDescription: (option: Option) =>
    option.defaultValue === false || option.defaultValue === ''
      ? option.description
      : standard.optionDescription(option),
};

function rankOf(option: Option): number {
  return SHARED.indexOf(option.attributeName());
}
