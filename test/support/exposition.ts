import assert from 'node:assert/strict';

const LINE = /^([a-z_][a-z0-9_]*(?:\{.*\})?) (\S+)$/;

/** The samples of a text that Prometheus reads, by name and labels as they stand there. Every line must be one of such a text. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) /.test(line)) continue;
    const [, name, value] = LINE.exec(line) ?? assert.fail(`no sample: ${line}`);
    assert.ok(name !== undefined && !samples.has(name), `twice: ${line}`);
    samples.set(name, Number(value));
  }
  return samples;
}
