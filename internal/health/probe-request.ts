import { authority } from '../model/address.ts';
import type { HealthCheck } from '../model/health-check.ts';

const USER_AGENT = 'heimdall-health';
const UNSENDABLE = /[^!-~]/;
const UNSENDABLE_VALUE = /[^\t -~]/;

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * @param closes - whether the connection is for this one request.
 * @throws when a character would end the request line or a field early.
 */
export function requestText({ host, port }: ProbeTarget, check: HealthCheck, closes: boolean): string {
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
  return `${text}${closes ? 'Connection: close\r\n' : ''}\r\n`;
}
