import type { ServiceDetailsView } from '../../../internal/model/service-view.ts';
import type { Algorithm } from '../../../internal/model/algorithms.ts';
import { UsageError } from '../command-error.ts';
import { confirm } from '../terminal/confirm.ts';
import { numberOrDefault, wholeNumber } from './arguments.ts';
import { servicesText, serviceText } from './services-text.ts';
import { type OperateOptions, openSession, print, type Session } from './session.ts';

const MOST_INSTANCES = 1_000;
const MOST_CONNECTIONS = 1_000_000;
const HIGHEST_WEIGHT = 1_000;

export interface SetOptions extends OperateOptions {
  readonly instances?: string;
  readonly algorithm?: Algorithm | 'default';
  readonly maxConnections?: string;
  readonly weight?: string;
  readonly yes: boolean;
}

/** `heimdall services list` */
export async function listServices(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const services = await session.client.services.list();
  print(session, services, () => servicesText(services, session.paint));
}

/** `heimdall services get` */
export async function getService(name: string, options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  show(session, await session.client.services.get(name));
}

/** `heimdall services scale` */
export async function scaleService(
  name: string,
  instances: string,
  options: OperateOptions & { readonly yes: boolean; readonly node?: string },
): Promise<void> {
  const count = wholeNumber('INSTANCES', instances, 0, MOST_INSTANCES);
  const session = await openSession(options);
  if (count === 0) await confirm(`Stop every instance of ${name}?`, options.yes);
  show(session, await session.client.services.scale(name, count, { node: options.node }));
}

/** `heimdall services set`: changes settings until the configuration changes them; `default` gives them back to it. */
export async function setService(name: string, options: SetOptions): Promise<void> {
  const { instances, algorithm, maxConnections, weight } = options;
  const body = {
    ...(instances === undefined ? {} : { instances: wholeNumber('--instances', instances, 0, MOST_INSTANCES) }),
    ...(algorithm === undefined ? {} : { algorithm: algorithm === 'default' ? null : algorithm }),
    ...(maxConnections === undefined
      ? {}
      : { maxConnections: numberOrDefault('--max-connections', maxConnections, 1, MOST_CONNECTIONS) }),
    ...(weight === undefined ? {} : { weight: numberOrDefault('--weight', weight, 1, HIGHEST_WEIGHT) }),
  };
  if (Object.keys(body).length === 0)
    throw new UsageError('nothing to set: give --instances, --algorithm, --max-connections or --weight');
  const session = await openSession(options);
  if (body.instances === 0) await confirm(`Stop every instance of ${name}?`, options.yes);
  show(session, await session.client.services.patch(name, body));
}

/** `heimdall services pause`: new requests are held until `resume`. */
export async function pauseService(name: string, options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const service = await session.client.services.pause(name);
  print(session, service, () => `${name} is paused: new requests wait; go on with heimdall services resume ${name}\n`);
}

/** `heimdall services resume` */
export async function resumeService(name: string, options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const service = await session.client.services.resume(name);
  print(session, service, () => `${name} goes on; what was held goes first\n`);
}

function show(session: Session, service: ServiceDetailsView): void {
  print(session, service, () => serviceText(service, session.paint, Date.now()));
}
