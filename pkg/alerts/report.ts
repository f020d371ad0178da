import { randomUUID } from 'node:crypto';
import { Channel, type ChannelContext, DEFAULT_RETRY } from './channel.ts';
import type { Notifier } from './notifier.ts';
import { renderReport } from './render.ts';

export interface Report {
  readonly title: string;
  readonly text: string;
}

/** Sends a message that tells of no alert; resolves when every channel has it or has given up, which is logged. */
export async function sendReport(
  notifiers: readonly Notifier[],
  report: Report,
  context: ChannelContext,
): Promise<void> {
  const notification = renderReport(report.title, report.text, context.clock.now(), randomUUID());
  await Promise.all(
    notifiers.map(async (notifier) => {
      const channel = new Channel(notifier, DEFAULT_RETRY, context);
      channel.enqueue(notification);
      await channel.drained();
    }),
  );
}
