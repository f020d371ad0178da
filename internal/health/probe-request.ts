import { authority } from '../model/address.ts';
import type { HealthCheck } from '../model/health-check.ts';

const USER_AGENT = 'heimdall-health';
const END = '\r\n';
const UNSENDABLE = /[^!-~]/;
const UNSENDABLE_VALUE = /[^\t -~]/;

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * The request of every probe of the target. It leaves the connection open, see `closing`.
 * @throws when a character would end the request line or a field early.
 */
export function requestText({ host, port }: ProbeTarget, check: HealthCheck): string {
  const name = check.host ?? authority(host, port);
  if (UNSENDABLE.test(check.path)) throw new Error('the path contains unescaped characters');
  if (UNSENDABLE.test(name)) throw new Error('the host contains unescaped characters');
  let text = `GET ${check.path} HTTP/1.1\r\nHost: ${name}\r\n`;
  let namesItself = false;
  let accepts = false;
  for (const [field, value] of Object.entries(check.headers)) {
    if (UNSENDABLE.test(field) || UNSENDABLE_VALUE.test(value))
      throw new Error(`${field} contains unescaped characters`);
    text += `${field}: ${value}\r\n`;
    namesItself ||= field.toLowerCase() === 'user-agent';
    accepts ||= field.toLowerCase() === 'accept';
  }
  if (!namesItself) text += `User-Agent: ${USER_AGENT}\r\n`;
  if (!accepts) text += 'Accept: */*\r\n';
  return `${text}${END}`;
}

/** The same request on a connection that is for no further one. */
export function closing(request: string): string {
  return `${request.slice(0, -END.length)}Connection: close\r\n${END}`;
}
