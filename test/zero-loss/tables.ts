import type { Table } from '../bench/report/table.ts';
import { ACTS } from '../chaos/schedule.ts';
import { type Count, NOTHING_YET, SORTS } from './failures.ts';
import type { Measured } from './measured.ts';

const NOT_DONE = '–';

/** All visits, and how those ended that failed: a column for each peer. */
export function sumTable(all: readonly Measured[]): Table {
  const failed = (measured: Measured) => sum(measured.failures);
  return [
    ['', ...all.map(({ peer }) => peer)],
    ['visits', ...all.map((measured) => number(visitsOf(measured)))],
    ['acts', ...all.map(({ acts }) => number(Object.values(acts).reduce((total, times) => total + times, 0)))],
    ['failed', ...all.map((measured) => number(failed(measured)))],
    ['failed of 10,000', ...all.map((measured) => ((10_000 * failed(measured)) / visitsOf(measured)).toFixed(1))],
    ...SORTS.map((sort) => [
      sort,
      ...all.map(({ failures }) => number(sum(failures.filter((failure) => failure.sort === sort)))),
    ]),
  ];
}

/** `failed / visits` by kind of visit. */
export function kindTable(all: readonly Measured[]): Table {
  const kinds = [...new Set(all.flatMap(({ visits }) => Object.keys(visits)))].sort((a, b) => a.localeCompare(b));
  const cell = ({ visits }: Measured, kind: string) => {
    const own = visits[kind];
    return own === undefined ? NOT_DONE : `${number(own.failed)} / ${number(own.all)}`;
  };
  return [
    ['failed / visits', ...all.map(({ peer }) => peer)],
    ...kinds.map((kind) => [kind, ...all.map((measured) => cell(measured, kind))]),
  ];
}

/** `failed / times done` by what was being done. */
export function actTable(all: readonly Measured[]): Table {
  const cell = ({ acts, leftOut, failures }: Measured, act: string) => {
    if (leftOut.includes(act)) return NOT_DONE;
    return `${number(sum(failures.filter((failure) => failure.act === act)))} / ${number(acts[act] ?? 0)}`;
  };
  const isUsed = (act: string) => all.some(({ failures }) => failures.some((failure) => failure.act === act));
  return [
    ['failed / times done', ...all.map(({ peer }) => peer)],
    ...[...ACTS, NOTHING_YET]
      .filter((act) => act !== NOTHING_YET || isUsed(act))
      .map((act) => [act, ...all.map((measured) => cell(measured, act))]),
  ];
}

function visitsOf({ visits }: Measured): number {
  return Object.values(visits).reduce((total, { all }) => total + all, 0);
}

function sum(failures: readonly Count[]): number {
  return failures.reduce((total, { count }) => total + count, 0);
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
