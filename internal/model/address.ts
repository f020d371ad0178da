import { z } from 'zod';

export const PortSchema = z.int().min(1).max(65_535);
export const WeightSchema = z.int().min(1).max(1_000);

/** `host:port`, with brackets around an IPv6 address. */
export function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
