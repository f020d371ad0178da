import { schedule, type ScheduledTask } from 'node-cron';
import type { Config } from '../../internal/config/schema.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { dailySummary } from '../../internal/server/daily-summary.ts';
import type { ServerManager } from '../../internal/server/server-manager.ts';
import { createNotifiers } from '../../pkg/alerts/create-notifiers.ts';
import { sendReport } from '../../pkg/alerts/report.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { type CalendarRule, latestRule } from './latest-rule.ts';

const DAY_MS = 86_400_000;

export interface CalendarJobsOptions {
  readonly registry: Pick<RegistryWriter, 'pruneEvents'>;
  readonly manager: Pick<ServerManager, 'list' | 'events' | 'scheduled' | 'leads'>;
  readonly log: Logger;
}

/** What happens by the calendar: the daily summary mail, the pruning of old events, and the scaling of services. Times are the machine's local ones. */
export class CalendarJobs {
  readonly #options: CalendarJobsOptions;
  #tasks: readonly ScheduledTask[] = [];

  constructor(options: CalendarJobsOptions) {
    this.#options = options;
  }

  /** Replaces what was scheduled before. */
  schedule({ alerts, events, services }: Config): void {
    this.stop();
    const { dailySummary: summary } = alerts;
    this.#tasks = [
      this.#task('prune-events', events.prune, () => this.#once(() => this.prune(events.keepDays))),
      ...(summary.enabled
        ? [this.#task('daily-summary', summary.cron, () => this.#once(() => this.mailSummary(alerts)))]
        : []),
      ...services.flatMap((service) => this.#scaling(service)),
    ];
    for (const { name, autoscale } of services) void this.#catchUp(name, autoscale?.schedule ?? []);
  }

  stop(): void {
    for (const task of this.#tasks) void task.destroy();
    this.#tasks = [];
  }

  async prune(keepDays: number): Promise<void> {
    const pruned = await this.#options.registry.pruneEvents(Date.now() - keepDays * DAY_MS);
    this.#options.log.info({ pruned, keepDays }, 'old events pruned');
  }

  /** Goes to the mail channels only: nobody wants it in a chat every morning. */
  async mailSummary(alerts: Config['alerts']): Promise<void> {
    const { manager, log } = this.#options;
    const now = systemClock.now();
    const [instances, events] = await Promise.all([
      manager.list(),
      manager.events({ limit: 1_000, since: now - DAY_MS }),
    ]);
    const report = dailySummary(instances, events, now);
    await sendReport(createNotifiers({ ...alerts, webhooks: [] }), report, {
      clock: systemClock,
      log,
      random: Math.random,
    });
  }

  /** Not by each of several managers. */
  async #once(job: () => Promise<void>): Promise<void> {
    if (this.#options.manager.leads) await job();
  }

  #scaling({ name, autoscale }: Config['services'][number]): ScheduledTask[] {
    return (autoscale?.schedule ?? []).map(({ cron, instances }, at) =>
      this.#task(`scale-${name}-${at}`, cron, () => this.#options.manager.scheduled(name, instances)),
    );
  }

  /** What the calendar has asked for last, perhaps while no manager was running. */
  async #catchUp(service: string, rules: readonly CalendarRule[]): Promise<void> {
    const rule = latestRule(rules, new Date());
    if (rule === null) return;
    try {
      await this.#options.manager.scheduled(service, rule.instances);
    } catch (error) {
      this.#options.log.warn({ err: error, service }, 'the calendar could not be caught up with');
    }
  }

  #task(name: string, expression: string, run: () => Promise<void>): ScheduledTask {
    const { log } = this.#options;
    const guarded = () =>
      run().catch((error: unknown) => log.error({ err: error, job: name }, 'a calendar job failed'));
    return schedule(expression, guarded, { name, noOverlap: true });
  }
}
