import { authority } from './address.ts';
import { HeimdallError, messageOf } from './errors.ts';

/** Where a listener's address is set: `{ key: 'manager', variable: 'MANAGER_PORT' }` for `manager.host` and `manager.port`. */
export interface AddressSource {
  readonly key: string;
  readonly variable?: string;
}

/** Turns the failure of a `listen` into an error that says what to do. */
export function listenError(error: unknown, host: string, port: number, { key, variable }: AddressSource): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const change = variable === undefined ? `set ${key}.port` : `set ${variable} or ${key}.port`;
  if (code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is in use; stop the other program or ${change}`;
    return new HeimdallError('PORT_TAKEN', message, { host, port }, { cause: error });
  }
  const reasons: Readonly<Record<string, string>> = {
    EACCES: `not allowed; ports below 1024 need a privilege, ${change}`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; set ${key}.host`,
  };
  const reason = reasons[String(code)] ?? messageOf(error);
  return new HeimdallError(
    'ADDRESS_UNUSABLE',
    `cannot listen on ${authority(host, port)}: ${reason}`,
    { host, port },
    { cause: error },
  );
}
