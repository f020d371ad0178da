import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cpuTime } from '../../bench/proc/cpu-time.ts';
import { parseOpenFilesLimit, parseResidentBytes, parseSchedstat, parseStat } from '../../bench/proc/parse.ts';

describe('the time on a CPU', () => {
  it('is the first field of schedstat, from nanoseconds to microseconds', () => {
    assert.equal(parseSchedstat('86905000 1200 17\n'), 86_905);
    assert.equal(parseSchedstat('0 0 0\n'), 0);
  });

  it('is not read from anything else', () => {
    for (const text of ['', 'nonsense', '12 13', '-1 2 3']) assert.equal(parseSchedstat(text), null);
  });

  it('is user and system time of stat, whatever the program is called', () => {
    const rest = `S 1 1 1 0 -1 4194560 5 0 0 0 150 50 0 0 20 0 1 0 100 1000 10`;
    for (const name of ['nginx', 'a b', 'evil) R 9 9']) assert.equal(parseStat(`42 (${name}) ${rest}`, 100), 2_000_000);
    assert.equal(parseStat('', 100), null);
  });

  it('grows with the work of a process', { skip: process.platform !== 'linux' }, async () => {
    const before = await cpuTime(process.pid);
    while ((await cpuTime(process.pid)) <= before) continue; // asking is work
  });
});

describe('the resident memory', () => {
  it('is bytes once parsed', () => {
    assert.equal(parseResidentBytes('Name:\tnode\nVmHWM:\t   99 kB\nVmRSS:\t   2048 kB\n'), 2 * 1024 * 1024);
  });

  it('is unknown for a zombie', () => {
    assert.equal(parseResidentBytes('Name:\tnode\nState:\tZ (zombie)\n'), null);
  });
});

describe('the limit of open files', () => {
  it('is the soft one', () => {
    assert.equal(
      parseOpenFilesLimit('Max open files            1024                 4096                 files\n'),
      1_024,
    );
  });

  it('may be missing', () => {
    const unlimited = 'Max open files            unlimited            unlimited            files\n';
    assert.equal(parseOpenFilesLimit(unlimited), Number.POSITIVE_INFINITY);
  });
});
