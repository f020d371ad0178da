import { wholeNumber } from './units.ts';

export const PortSchema = wholeNumber(1, 65_535);
export const WeightSchema = wholeNumber(1, 1_000);

/** `host:port`, with brackets around an IPv6 address. */
export function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
