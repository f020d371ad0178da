import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { CalendarJobs, type CalendarJobsOptions } from '../../../cmd/server-manager/calendar-jobs.ts';
import { type Config, ConfigSchema } from '../../../internal/config/schema.ts';
import { declaredInstances, viewOf } from '../../../internal/model/instance.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';
import { createLogger, type Logger } from '../../../pkg/logger/logger.ts';
import { until } from '../../support/server-fixture.ts';

const DAY_MS = 86_400_000;
const EVERY_SECOND = '* * * * * *';
const NEVER = '0 0 29 2 *';
const INSTANCES = declaredInstances(ServiceSchema.parse({ name: 'web', servers: ['10.0.0.7:80', '10.0.0.8:80'] })).map(
  (instance, index) => viewOf(instance, index === 0 ? 'healthy' : 'unhealthy'),
);

/** Jobs over a registry and a manager that only remember what they were asked; stopped after the test. */
function jobsFor(context: TestContext, faults: { prune?: Error } = {}) {
  const pruned: number[] = [];
  const asked: { limit: number; since?: number | undefined }[] = [];
  const logged: string[] = [];
  const scheduled: [service: string, instances: number][] = [];
  const options: CalendarJobsOptions = {
    registry: {
      pruneEvents: async (before) => {
        pruned.push(before);
        if (faults.prune) throw faults.prune;
        return 3;
      },
    },
    manager: {
      leads: true,
      scheduled: async (service, instances) => {
        scheduled.push([service, instances]);
      },
      list: async () => INSTANCES,
      events: async (query) => {
        asked.push(query);
        return [
          {
            id: 1,
            at: Date.now() - 1_000,
            type: 'instance.exited',
            service: 'web',
            instanceId: 'web-1',
            message: 'web-1 exited with code 3',
            data: {},
          },
        ];
      },
    },
    log: recorder(logged),
  };
  const jobs = new CalendarJobs(options);
  context.after(() => jobs.stop());
  return { jobs, pruned, asked, logged, scheduled };
}

function recorder(lines: string[]): Logger {
  const destination = { write: (line: string) => lines.push(line) };
  return createLogger({ name: 'test', level: 'info', pretty: false, destination });
}

/** A mail server on loopback that keeps what it gets, ended after the test. */
async function mailServer(context: TestContext) {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      text(stream).then((source) => {
        mails.push(source.replaceAll('=\r\n', ''));
        done();
      }, done);
    },
  });
  const { server: listening } = server;
  server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  context.after(() => new Promise<void>((resolve) => server.close(resolve)));
  const address = listening.address();
  assert.ok(address !== null && typeof address === 'object');
  return { mails, port: address.port };
}

function configOf(changes: { prune?: string; summary?: string; mailPort?: number; webhook?: string }): Config {
  const { prune = NEVER, summary, mailPort, webhook } = changes;
  const channel = { host: '127.0.0.1', encryption: 'none', from: 'heimdall@example.org', to: ['ops@example.org'] };
  return ConfigSchema.parse({
    events: { prune, keepDays: 7 },
    alerts: {
      email: mailPort === undefined ? [] : [{ ...channel, port: mailPort }],
      webhooks: webhook === undefined ? [] : [{ url: webhook }],
      ...(summary === undefined ? {} : { dailySummary: { enabled: true, cron: summary } }),
    },
  });
}

describe('pruning', { concurrency: true }, () => {
  it('deletes the events that are older than the days to keep', async (context) => {
    const { jobs, pruned, logged } = jobsFor(context);
    const before = Date.now();
    await jobs.prune(7);
    const [limit = 0] = pruned;
    assert.ok(limit >= before - 7 * DAY_MS && limit <= Date.now() - 7 * DAY_MS);
    assert.match(logged.join(''), /"pruned":3,"keepDays":7/);
  });

  it('happens when its time has come, again and again, and not after the stop', async (context) => {
    const { jobs, pruned } = jobsFor(context);
    jobs.schedule(configOf({ prune: EVERY_SECOND }));
    await until('two runs', () => pruned.length >= 2);
    jobs.stop();
    jobs.stop();
  });

  it('that fails is logged, and tried again the next time', async (context) => {
    const { jobs, pruned, logged } = jobsFor(context, { prune: new Error('the registry is locked') });
    jobs.schedule(configOf({ prune: EVERY_SECOND }));
    await until('two runs', () => pruned.length >= 2);
    assert.match(logged.join(''), /"message":"the registry is locked".*"job":"prune-events"/);
  });

  it('follows a changed calendar and no more the old one', async (context) => {
    const { jobs, pruned, asked } = jobsFor(context);
    jobs.schedule(configOf({ prune: EVERY_SECOND }));
    jobs.schedule(configOf({ summary: EVERY_SECOND }));
    await until('two runs of the new calendar', () => asked.length >= 2);
    assert.deepEqual(pruned, []);
  });
});

describe('the daily summary', { concurrency: true }, () => {
  it('goes to the mail channels, with the last day and how the instances stand', async (context) => {
    const { mails, port } = await mailServer(context);
    const { jobs, asked } = jobsFor(context);
    const before = Date.now();
    await jobs.mailSummary(configOf({ mailPort: port }).alerts);
    assert.equal(mails.length, 1);
    const [mail = ''] = mails;
    assert.match(mail, /^To: ops@example\.org\r$/m);
    assert.match(mail, /^Subject: \[heimdall\] Daily summary \d{4}-\d\d-\d\d: 1 of 2 instances in trouble/m);
    assert.match(mail, /web: 2 of 2 running; in trouble: web@10\.0\.0\.8:80/);
    assert.match(mail, / 1 unexpected exit\r?\n/);
    assert.match(mail, /UTC web-1 exited with code 3/);
    const since = asked[0]?.since ?? 0;
    assert.ok(since >= before - DAY_MS && since <= Date.now() - DAY_MS);
  });

  it('goes to no webhook', async (context) => {
    const { jobs, logged } = jobsFor(context);
    await jobs.mailSummary(configOf({ webhook: 'http://127.0.0.1:1/' }).alerts);
    assert.doesNotMatch(logged.join(''), /not delivered/);
  });

  it('is mailed when its time has come', async (context) => {
    const { mails, port } = await mailServer(context);
    const { jobs } = jobsFor(context);
    jobs.schedule(configOf({ summary: EVERY_SECOND, mailPort: port }));
    await until('a mail', () => mails.length > 0);
  });

  it('is off unless the configuration asks for it', async (context) => {
    const { jobs, pruned, asked } = jobsFor(context);
    const config = configOf({ prune: EVERY_SECOND });
    jobs.schedule({
      ...config,
      alerts: { ...config.alerts, dailySummary: { enabled: false, cron: EVERY_SECOND } },
    });
    await until('two runs of the other job', () => pruned.length >= 2);
    assert.deepEqual(asked, []);
  });
});

describe('the scaling by the calendar', () => {
  it('asks for what the latest rule asked for at once, and for the next one’s when its time has come', async (context) => {
    const { jobs, scheduled } = jobsFor(context);
    const rules = [{ cron: '* * * * *', instances: 4 }];
    const services = [{ name: 'web', command: ['x'], autoscale: { max: 9, schedule: rules } }];
    jobs.schedule(ConfigSchema.parse({ services }));
    await until('the latest rule', () => scheduled.length === 1);
    assert.deepEqual(scheduled, [['web', 4]]);
  });
});
