import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Candidate } from '../candidates/candidate.ts';
import { versionLine } from '../installed.ts';

const MODULES = join(import.meta.dirname, '..', '..', '..', 'node_modules');
const LIBRARIES = ['@fastify/http-proxy', 'fastify', 'http-proxy-middleware'];
const GIBIBYTE = 1024 ** 3;

const PackageSchema = z.object({ version: z.string() });

/** Where a run took place. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  /** Processes that wanted a core in the minute before: near 0 on a machine that has nothing else to do. */
  readonly loadBefore: number;
  readonly node: string;
  /** The versions of the other programs and libraries. */
  readonly peers: readonly string[];
}

export function describeMachine(candidates: readonly Candidate[]): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / GIBIBYTE),
    kernel: `${type()} ${release()}`,
    loadBefore: loadavg()[0] ?? 0,
    node: process.version,
    peers: [
      ...candidates.flatMap(({ program, versionArgs = [] }) =>
        program ? [`${program}: ${versionLine(program, versionArgs)}`] : [],
      ),
      ...LIBRARIES.map(library),
      versionLine('wrk', ['-v']),
    ],
  };
}

function library(name: string): string {
  const text = readFileSync(join(MODULES, name, 'package.json'), 'utf8');
  return `${name} ${PackageSchema.parse(JSON.parse(text)).version}`;
}
