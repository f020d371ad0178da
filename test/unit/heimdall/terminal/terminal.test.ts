import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { printableWithColours } from '../../../../cmd/heimdall/terminal/printable.ts';
import { printable } from '../../../../internal/model/printable.ts';
import { waited } from '../../../../cmd/heimdall/operate/waiting.ts';
import { Progress } from '../../../../cmd/heimdall/terminal/progress.ts';
import { watchOutput } from '../../../../cmd/heimdall/terminal/watch-output.ts';
import { clockText, sizeText, timeText } from '../../../../cmd/heimdall/terminal/units.ts';

/** What is written, as a terminal or a file gets it. */
class Output {
  readonly isTTY: boolean;
  readonly columns = 20;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

describe('output that cannot be written', () => {
  const wrong = (code: string) => Object.assign(new Error(`${code}: told by the test`), { code });
  function watched() {
    const told: string[] = [];
    const [stdout, stderr] = [new EventEmitter(), new EventEmitter()];
    const write = (text: string) => told.push(text);
    watchOutput({ stdout, stderr: Object.assign(stderr, { write }), exit: (code) => void told.push(`exit ${code}`) });
    return { stdout, stderr, told };
  }

  it('ends a command whose results nobody reads, as done; those that a disk does not take are a failure', () => {
    const { stdout, told } = watched();
    stdout.emit('error', wrong('EPIPE'));
    stdout.emit('error', wrong('ENOSPC'));
    const words = 'heimdall: the output cannot be written: ENOSPC: told by the test\n';
    assert.deepEqual(told, ['exit 0', words, 'exit 1']);
  });

  it('does not end a command whose progress nobody reads', () => {
    const { stderr, told } = watched();
    stderr.emit('error', wrong('EPIPE'));
    assert.deepEqual(told, []);
  });
});

describe('progress', () => {
  it('is one line on a terminal, below those that stay, and gone at the end', () => {
    const output = new Output(true);
    const progress = new Progress(output);
    progress.is('draining, with more words than fit');
    progress.note('one is gone\n');
    progress[Symbol.dispose]();
    assert.equal(output.text, '\r\x1b[Kdraining, with more\r\x1b[Kone is gone\n\r\x1b[Kdraining, with more\r\x1b[K');
  });

  it('goes on until what is waited for has come', async () => {
    const output = new Output(true);
    const coming = Promise.withResolvers<string>();
    const told = waited({ json: false }, 'wait', () => coming.promise, undefined, output);
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(output.text, /wait … \d+ms$/);
    coming.resolve('done');
    assert.equal(await told, 'done');
    assert.ok(output.text.endsWith('\r\x1b[K'));
  });

  it('is a line for each change elsewhere', () => {
    const output = new Output(false);
    const progress = new Progress(output);
    for (const line of ['starting', 'starting', 'ready']) progress.is(line);
    progress.note('done\n');
    progress[Symbol.dispose]();
    assert.equal(output.text, 'starting\nready\ndone\n');
  });
});

// A log line, an error or a name that somebody else chose is printed on the operator's terminal: escape sequences in it could
// change the title, clear the screen, or make some terminals type commands.
describe('what others wrote', () => {
  for (const [text, clean] of [
    ['plain äöü 漢字', 'plain äöü 漢字'],
    ['a\x1b[2J\x1b[1;1Hb', 'ab'],
    ['a\x1b]0;title\x07b\x1b]52;c;cm0=\x1b\\c', 'abc'],
    ['a\x1bP+q544e\x1b\\b', 'ab'],
    ['a\rb\x08c\x9b2Jd', 'a�b�c�2Jd'],
    ['end\x1b', 'end'],
    ['a\tb', 'a\tb'],
  ] as const) {
    it(`moves nothing on a terminal: ${JSON.stringify(text)}`, () => {
      assert.equal(printable(text), clean);
    });
  }

  // An app logs what a stranger typed: `transfer to \u202e001 ruo\u202c` reads as another account, and a name
  // with a character of no width as one that it is not.
  it('turns no direction, and hides no character', () => {
    assert.equal(printable('a\u202eb\u2066c\u200bd\ufeff\u2028e'), 'a\\u202eb\\u2066c\\u200bd\\ufeff\\u2028e');
    assert.equal(printable('\u{e0041}'), '\\u{e0041}');
    const harmless = 'żółw שלום سلام می\u200cخواهم 👩\u200d💻 \t日本';
    assert.equal(printable(harmless), harmless);
  });

  it('keeps its colours where they are wanted, and they end with the line', () => {
    assert.equal(printableWithColours('\x1b[31mred\x1b[2J text'), '\x1b[31mred text\x1b[0m');
    assert.equal(printableWithColours('no colour'), 'no colour');
  });
});

describe('units for people', () => {
  it('has sizes in three digits or so', () => {
    const sizes = [undefined, 0, 512, 1_000, 1_536, 89 * 1024 ** 2, 1.5 * 1024 ** 3].map(sizeText);
    assert.deepEqual(sizes, ['-', '0 B', '512 B', '1.0 KB', '1.5 KB', '89 MB', '1.5 GB']);
  });

  it('has times in two units at most', () => {
    const times = [0, 999.9, 12_000, 200_000, 3_600_000 * 5 + 120_000, 86_400_000 * 3 + 3_600_000 * 4].map(timeText);
    assert.deepEqual(times, ['0ms', '999ms', '12s', '3m20s', '5h2m', '3d4h']);
  });

  it('has the day of a time only when that is not today', () => {
    const at = new Date(2026, 10, 21, 9, 5, 3);
    assert.equal(clockText(at.toISOString(), at.getTime()), '09:05:03');
    assert.equal(clockText(at.toISOString(), at.getTime() + 86_400_000), '2026-11-21 09:05:03');
  });
});
