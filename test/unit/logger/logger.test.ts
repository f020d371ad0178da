import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createLogger, LOG_LEVELS, type LoggerOptions } from '../../../pkg/logger/logger.ts';

const MODULE = join(import.meta.dirname, '../../../pkg/logger/logger.ts');

/** A logger whose output can be read back. */
function recorder(options: Partial<LoggerOptions> = {}) {
  const written: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ name: 'manager', level: 'info', destination, ...options });
  const text = () => written.join('');
  return { log, text, lines: () => written.map((line): Record<string, unknown> => JSON.parse(line)) };
}

describe('the form of a log line', () => {
  const isTTY = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
  const pretendTerminal = (value: boolean) =>
    Object.defineProperty(process.stdout, 'isTTY', { value, configurable: true });

  afterEach(() => {
    if (isTTY) Object.defineProperty(process.stdout, 'isTTY', isTTY);
    else Reflect.deleteProperty(process.stdout, 'isTTY');
  });

  it('is JSON when standard output is no terminal', () => {
    pretendTerminal(false);
    const { log, lines } = recorder();
    log.info({ port: 9000 }, 'listening');
    const [line] = lines();
    assert.deepEqual([line?.name, line?.level, line?.port, line?.msg], ['manager', 30, 9000, 'listening']);
  });

  it('is made for people when it is one', () => {
    pretendTerminal(true);
    const { log, text } = recorder();
    log.info({ port: 9000 }, 'listening');
    assert.throws(() => JSON.parse(text()));
    assert.match(text(), /INFO.*\(manager\).*: .*listening.*\{.*port.*9000\}.*\n$/);
    assert.doesNotMatch(text(), /hostname|pid/);
  });

  it('is what the options say, if they do', () => {
    pretendTerminal(true);
    const { log, lines } = recorder({ pretty: false });
    log.info('listening');
    assert.equal(lines()[0]?.msg, 'listening');
  });

  for (const pretty of [true, false]) {
    it(`goes to standard output by default, last words before an exit included (${pretty ? 'pretty' : 'JSON'})`, async () => {
      const script = `
        const { createLogger } = await import(${JSON.stringify(MODULE)});
        createLogger({ name: 'child', level: 'info', pretty: ${pretty} }).info('last words');
        process.exit(0);
      `;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
      assert.match(stdout, pretty ? /^\[.*INFO.*last words\n$/ : /^\{.*"msg":"last words"\}\n$/);
    });
  }
});

describe('the level', () => {
  it('lets itself and everything worse through', () => {
    const { log, lines } = recorder({ level: 'warn' });
    for (const level of LOG_LEVELS) if (level !== 'silent') log[level](level);
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['warn', 'error', 'fatal'],
    );
  });

  it('can be silent', () => {
    const { log, text } = recorder({ level: 'silent' });
    log.fatal('nobody hears this');
    assert.equal(text(), '');
  });

  it('can change while the process runs', () => {
    const { log, lines } = recorder({ level: 'error' });
    log.info('before');
    log.level = 'info';
    log.info('after');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['after'],
    );
  });
});

describe('a child logger', () => {
  it('tells its subsystem with every line, besides the name of the process', () => {
    const { log, lines } = recorder();
    log.child({ subsystem: 'drain' }).info({ port: 9000 }, 'drained');
    const [line] = lines();
    assert.deepEqual([line?.name, line?.subsystem, line?.port], ['manager', 'drain', 9000]);
  });

  // A token that a child logger is bound to would stand on every one of its lines:
  // the bindings are redacted as well.
  it('keeps the secrets that it is bound to', () => {
    const { log, text } = recorder();
    log.child({ subsystem: 'api', token: 'hunter2', Authorization: 'Bearer hunter2' }).info({ cookie: 'hunter2' }, 'x');
    assert.doesNotMatch(text(), /hunter2/);
  });
});

describe('redaction', () => {
  // Whoever reads the logs, or the place they are sent to, could act in the name of a client or of the manager:
  // headers, channels and settings are logged whole when something is wrong with them.
  it('hides the values of secret keys in any case and depth', () => {
    const { log, text, lines } = recorder();
    for (const key of ['token', 'secret', 'password', 'pass', 'authorization', 'cookie', 'set-cookie']) {
      const spellings = [key, key.toUpperCase(), key.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())];
      for (const name of spellings) {
        log.info({ [name]: 'hunter2' }, name);
        log.info({ headers: { [name]: 'hunter2' } }, name);
        log.info({ channels: [{ auth: { [name]: ['hunter2'] } }] }, name);
      }
    }
    assert.equal(lines().length, 7 * 3 * 3);
    assert.doesNotMatch(text(), /hunter2/);
    for (const line of lines()) assert.match(JSON.stringify(line), /"\[redacted\]"/);
  });

  it('hides what an error carries along, and still shows its stack', () => {
    const { log, text, lines } = recorder();
    const error = Object.assign(new Error('refused'), { context: { headers: { Authorization: 'Bearer hunter2' } } });
    log.error({ err: error }, 'failed');
    log.error(error);
    assert.doesNotMatch(text(), /hunter2/);
    for (const { err } of lines()) {
      const { type, message, stack } = err as Record<string, string>;
      assert.deepEqual([type, message], ['Error', 'refused']);
      assert.match(stack ?? '', /logger\.test/);
    }
  });

  it('shows what was thrown and is no error as it is', () => {
    const { log, lines } = recorder();
    log.error({ err: 'a string' }, 'failed');
    assert.equal(lines()[0]?.err, 'a string');
  });

  it('hides secrets from people at a terminal too', () => {
    const { log, text } = recorder({ pretty: true });
    log.info({ headers: { Cookie: 'hunter2' } }, 'x');
    assert.doesNotMatch(text(), /hunter2/);
    assert.match(text(), /\[redacted\]/);
  });

  it('leaves everything else as it is, the logged object included', () => {
    const { log, lines } = recorder();
    const fields = {
      passed: true,
      tokens: 3,
      at: new Date(0),
      list: [1, { cookies: 2 }],
      none: null,
      token: undefined,
    };
    log.info(fields, 'x');
    const [{ passed, tokens, at, list, none, token } = {}] = lines();
    assert.deepEqual(
      { passed, tokens, at, list, none, token },
      {
        passed: true,
        tokens: 3,
        at: '1970-01-01T00:00:00.000Z',
        list: [1, { cookies: 2 }],
        none: null,
        token: undefined,
      },
    );
    const secrets = { headers: { cookie: 'x' } };
    log.info(secrets, 'x');
    assert.deepEqual(secrets, { headers: { cookie: 'x' } });
  });

  it('ends on an object that holds itself', () => {
    const { log, lines } = recorder();
    const loop: { self?: unknown; token: string } = { token: 'hunter2' };
    loop.self = loop;
    log.info({ loop }, 'x');
    assert.equal(lines().length, 1);
  });
});
