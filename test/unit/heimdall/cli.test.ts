import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../../cmd/heimdall/cli.ts';

/** All that can be called: commands without commands of their own. */
function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** As somebody sees it who asks for help. */
function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}

describe('the command line', () => {
  for (const command of leaves(createProgram())) {
    it(`tells with examples what ${command.name()} does`, () => {
      assert.notEqual(command.description(), '');
      assert.match(helpOf(command), new RegExp(`\nExamples:\n {2}heimdall .*${command.name()}`));
    });
  }

  it('tells the exit codes', () => {
    assert.match(helpOf(createProgram()), /\nExit codes:\n {2}0 +done\n/);
  });
});
