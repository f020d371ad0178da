import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { UsageError } from '../../../cmd/heimdall/command-error.ts';
import { limitOf, planOf, type StressArguments } from '../../../cmd/heimdall/stress-plan.ts';
import { comparisonText, progressLine, stressText } from '../../../cmd/heimdall/stress-text.ts';
import { compare } from '../../../pkg/stress-test/compare.ts';
import { stressReport } from '../../support/stress-report.ts';

const GIVEN: StressArguments = {
  duration: '10s',
  connections: '64',
  method: 'GET',
  timeout: '10s',
  limit: '10',
  json: false,
};

describe('the command line of heimdall stress', () => {
  it('is a bounded load', () => {
    const plan = planOf('localhost:8080/a b#c', { ...GIVEN, rate: '200', header: ['Accept: text/html', 'X-Empty:'] });
    assert.deepEqual(plan, {
      url: 'http://localhost:8080/a%20b',
      method: 'GET',
      headers: { Accept: 'text/html', 'X-Empty': '' },
      body: undefined,
      connections: 64,
      durationMs: 10_000,
      timeoutMs: 10_000,
      rate: 200,
      by: null,
    });
  });

  it('sends the bytes of a file as they are', () => {
    const { body } = planOf('localhost', { ...GIVEN, method: 'post', body: `@${import.meta.filename}` });
    assert.deepEqual(body, readFileSync(import.meta.filename));
    assert.equal(planOf('localhost', { ...GIVEN, body: 'hello' }).body, 'hello');
  });

  const wrong: readonly (readonly [change: Partial<StressArguments>, message: RegExp])[] = [
    [{ duration: '10' }, /^--duration: /],
    [{ duration: '61m' }, /^--duration: /],
    [{ timeout: '0s' }, /^--timeout: /],
    [{ connections: '10001' }, /^--connections: /],
    [{ rate: '0' }, /^--rate: /],
    [{ method: 'HEAD' }, /^--method: /],
    [{ header: ['no colon'] }, /^--header: .*"no colon"/],
    [{ header: ['X-A: b\r\nX-C: d'] }, /^--header: /],
    [{ by: 'X Server' }, /^--by: /],
    [{ body: '@/there/is/none' }, /^--body: ENOENT/],
  ];
  for (const [change, message] of wrong)
    it(`refuses ${JSON.stringify(change)}`, () => {
      const refused = (error: unknown) => error instanceof UsageError && message.test(error.message);
      assert.throws(() => planOf('http://localhost/', { ...GIVEN, ...change }), refused);
    });

  it('refuses what is no address of HTTP', () => {
    for (const target of ['ftp://a/', 'http://', 'http://user:secret@a/'])
      assert.throws(() => planOf(target, GIVEN), UsageError);
    assert.throws(() => limitOf('-1'), UsageError);
    assert.equal(limitOf('12.5'), 0.125);
  });
});

describe('what heimdall stress prints', () => {
  it('tells outcomes, percentiles, the histogram and who answered', () => {
    const { latency } = stressReport();
    const values = { a: { answers: 750, latency }, b: { answers: 250, latency } };
    const report = stressReport({ errors: { ECONNRESET: 3 }, by: { header: 'x-server', values } });
    const text = stressText(report);
    assert.match(
      text,
      /^GET http:\/\/localhost:8080\/: 10 s over 64 connections, 100 requests\/s\n1000 answers, 100\/s\n/,
    );
    assert.match(text, /\n {2}200: 1000\n {2}ECONNRESET: 3\n/);
    assert.match(text, /\nlatency +1000 +2 +1 +3 +5 +10 +20 +30\n/);
    assert.match(text, /\nto 1 +600 +#{50}\nto 2 +300 +#{25}\n/);
    assert.match(text, /\na +75\.0 +1000 .*\nb +25\.0 /);
    assert.doesNotMatch(text, /This tool/);
  });

  it('says when it may have measured itself', () => {
    assert.match(stressText(stressReport({ generatorBusy: 0.97 })), /This tool was busy for 97 % of the time/);
  });

  it('shows progress in a line', () => {
    const { bars, timeline } = stressReport();
    const [second] = timeline;
    assert.ok(second !== undefined);
    const progress = { done: 0.5, answers: 100, failures: 0, second, bars };
    const line = '[##########..........] 100 answers, 0 failed; 100/s, p99 10 ms  0.5 █▅▂▂▂ 20 ms';
    assert.equal(progressLine(progress, 200), line);
    assert.equal(progressLine(progress, 69), line.replace('##########..........', '#####.....'));
    assert.equal(progressLine(progress, 20).length, 20);
  });

  it('lets the header of an answer do nothing to the terminal', () => {
    const { latency } = stressReport();
    const values = { [`\x1b]0;owned\x07\x1b[2J${'a'.repeat(500)}`]: { answers: 1_000, latency } };
    const text = stressText(stressReport({ by: { header: 'x-server', values } }));
    assert.match(text, /\na{60} +100\.0 /);
  });

  it('marks what is worse than before', () => {
    const before = stressReport();
    const now = stressReport({ rate: 50, throughput: 50 });
    const text = comparisonText(compare(before, now, 0.1), 'before.json', 0.1);
    assert.match(text, /\nanswers\/s +100 +50 +−50\.0 % +worse\n/);
    assert.match(text, /not the same run: rate was 100, is 50\nWorse by more than 10 %\.\n$/);
  });
});
