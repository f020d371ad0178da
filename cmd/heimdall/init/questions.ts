import { createInterface, type Interface } from 'node:readline/promises';
import { z } from 'zod';
import { messageOf } from '../../../internal/model/errors.ts';
import { ServiceNameSchema } from '../../../internal/model/service.ts';
import { PortSchema } from '../../../internal/model/units.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { type CommandLine, commandOf, lineOf } from './command-line.ts';
import { type Plan, TCP } from './plan.ts';

const MOST_INSTANCES = 1_000;
const HEALTH_EXPECTED = 'expected a path such as "/health", or "tcp" for a check that only connects';

/** What people type, and what it means; a fault says what is expected. */
export const ANSWERS = {
  name: ServiceNameSchema,
  command: z.string().transform((line, context): CommandLine => {
    const command = commandOf(line);
    if (command !== null) return command;
    context.issues.push({ code: 'custom', input: line, message: 'expected a program and its arguments' });
    return z.NEVER;
  }),
  instances: z.coerce
    .number('expected a whole number')
    .int('expected a whole number')
    .min(1, 'expected at least 1')
    .max(MOST_INSTANCES, `expected at most ${MOST_INSTANCES}`),
  port: z.coerce.number().pipe(PortSchema),
  health: z.string().refine((text) => text === TCP || /^\/[!"$-~]*$/.test(text), HEALTH_EXPECTED),
  webhook: optional(z.url({ protocol: /^https?$/ }), 'expected an http:// or https:// URL'),
  mail: optional(z.email(), 'expected a mail address'),
  server: z.string().regex(/^[^\s:]+(:\d{1,5})?$/, 'expected a host, or host:port'),
} as const;

/** Asks for everything, with what is known as the default. @throws the signal's reason when it is aborted. */
export async function askFor(plan: Partial<Plan> & Omit<Plan, 'command'>, signal: AbortSignal): Promise<Plan> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new AbortController(); // by Ctrl-C or Ctrl-D
  terminal.once('close', () => closed.abort(new CommandError(EXIT.interrupted, 'given up; nothing was written')));
  const over = AbortSignal.any([signal, closed.signal]);
  try {
    const ask = <T>(question: string, schema: z.ZodType<T>, known: string) =>
      asked(terminal, question, schema, known, over);
    const name = await ask('Name of the service', ANSWERS.name, plan.name);
    const { command: before } = plan;
    const written = before === undefined ? '' : lineOf(before.command);
    const typed = await ask('Command that starts one instance ({port}: its port)', ANSWERS.command, written);
    const command = before !== undefined && lineOf(typed.command) === written ? before : typed;
    const instances = await ask('Instances', ANSWERS.instances, String(plan.instances));
    const proxy = await ask('Port of the load balancer', ANSWERS.port, String(plan.ports.proxy));
    const health = await ask('Path that answers 2xx when the app is well, or "tcp"', ANSWERS.health, plan.health);
    const webhook = await ask('Webhook for alerts (empty: none)', ANSWERS.webhook, plan.webhook ?? '');
    const to = await ask('Mail address for alerts (empty: none)', ANSWERS.mail, plan.mail?.to ?? '');
    const server = to === null ? '' : await ask('Mail server', ANSWERS.server, plan.mail?.server ?? 'localhost:25');
    const mail = to === null ? null : { to, server };
    return { name, command, instances, ports: { ...plan.ports, proxy }, health, webhook, mail };
  } finally {
    terminal.close();
  }
}

/** Until the answer is one that can be used; nothing typed is the default. */
async function asked<T>(
  terminal: Interface,
  question: string,
  schema: z.ZodType<T>,
  known: string,
  signal: AbortSignal,
): Promise<T> {
  const prompt = known === '' ? `${question}: ` : `${question} [${known}]: `;
  for (;;) {
    const typed = (await line(terminal, prompt, signal)).trim();
    const answer = schema.safeParse(typed === '' ? known : typed);
    if (answer.success) return answer.data;
    process.stdout.write(`  ${answer.error.issues[0]?.message ?? messageOf(answer.error)}\n`);
  }
}

async function line(terminal: Interface, prompt: string, signal: AbortSignal): Promise<string> {
  try {
    return await terminal.question(prompt, { signal });
  } catch (error) {
    signal.throwIfAborted(); // with what ended it, rather than that it was ended
    throw error;
  }
}

/** Nothing is null. */
function optional(schema: z.ZodType<string>, expected: string) {
  return z
    .string()
    .refine((text) => text === '' || schema.safeParse(text).success, expected)
    .transform((text) => (text === '' ? null : text));
}
