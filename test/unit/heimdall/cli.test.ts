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

  /** What is said of wrong usage, before the process would end. */
  const refusal = async (...words: readonly string[]) => {
    let said = '';
    const program = createProgram();
    for (const command of [program, ...program.commands, ...leaves(program)]) {
      command.configureOutput({ outputError: (text) => (said += text) }).exitOverride();
    }
    await assert.rejects(program.parseAsync(['node', 'heimdall', ...words]));
    return said;
  };

  it('names the command that a misspelt one is near, also behind servers, services, deployments and alerts', async () => {
    assert.match(await refusal('servres'), /Did you mean servers\?/);
    assert.equal(
      await refusal('servers', 'lits'),
      "error: unknown command 'lits' of 'heimdall servers'\n(Did you mean list?)\n",
    );
    assert.match(await refusal('deployments', 'xyz'), /unknown command 'xyz'.*\n\(there are list, get\)/);
    assert.match(await refusal('servers', 'list', 'web'), /too many arguments for 'list'/);
  });

  it('tells the exit codes', () => {
    assert.match(helpOf(createProgram()), /\nExit codes:\n {2}0 +done\n/);
  });
});
