import type { InstanceView } from '../../../internal/model/instance-view.ts';
import { aligned } from '../aligned.ts';
import { markedHealth, markedStatus } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../../../internal/model/printable.ts';
import { firstLine } from '../terminal/printable.ts';
import { ageText, sizeText } from '../terminal/units.ts';

const HEAD = [
  'port',
  'id',
  'service',
  'status',
  'health',
  'version',
  'weight',
  'pid',
  'cpu %',
  'memory',
  'restarts',
  'since',
];
const TEXTS = [0, 1, 2, 3, 4, 5];
/** Where the node stands, when there are several. */
const NODE_COLUMN = 3;

/** A row for each instance, and why those that failed did. @param now - epoch milliseconds. */
export function serversText(instances: readonly InstanceView[], paint: Paint, now: number): string {
  if (instances.length === 0) return 'no instances\n';
  const isSpread = new Set(instances.flatMap(({ node }) => node ?? [])).size > 1;
  const withNode = (cells: readonly string[], node: string) =>
    isSpread ? cells.toSpliced(NODE_COLUMN, 0, node) : cells;
  const rows = instances.map((instance) => withNode(rowOf(instance, paint, now), instance.node ?? '-'));
  const errors = instances.flatMap(({ id, lastError }) => (lastError === undefined ? [] : [`${id}: ${lastError}`]));
  const notes = errors.map((error) => `  ${paint('red', firstLine(error))}\n`).join('');
  const head = withNode(HEAD, 'node').map((cell) => paint('dim', cell));
  return aligned([head, ...rows], isSpread ? [...TEXTS, TEXTS.length] : TEXTS) + notes;
}

/** One instance, a line for each of its figures. */
export function serverText(instance: InstanceView, paint: Paint, now: number): string {
  const { id, service, url, pid, status, health, weight, version, startedAt, restarts, cpu, memory, lastError } =
    instance;
  const rows = [
    ['id', id],
    ['service', service],
    ['url', url],
    ...(instance.node === null ? [] : [['node', instance.node]]),
    ['pid', pid === null ? '-' : String(pid)],
    ['status', markedStatus(status, paint)],
    ['health', markedHealth(health, paint)],
    ['weight', String(weight)],
    ['version', firstLine(version ?? '-')],
    ['started', startedAt === null ? '-' : `${startedAt} (${ageText(startedAt, now)} ago)`],
    ['restarts', String(restarts)],
    ...(cpu === undefined ? [] : [['cpu', `${cpu.toFixed(1)} % of a core`]]),
    ...(memory === undefined ? [] : [['memory', sizeText(memory)]]),
    ...(lastError === undefined ? [] : [['last error', paint('red', printable(lastError))]]),
  ];
  return aligned(rows, [0, 1]);
}

function rowOf(instance: InstanceView, paint: Paint, now: number): readonly string[] {
  const { port, host, id, service, status, health, version, weight, pid, cpu, memory, startedAt, restarts } = instance;
  return [
    pid === null && host !== '127.0.0.1' ? `${host}:${port}` : String(port),
    id,
    service,
    markedStatus(status, paint),
    markedHealth(health, paint),
    firstLine(version ?? '-'),
    String(weight),
    pid === null ? '-' : String(pid),
    cpu === undefined ? '-' : cpu.toFixed(1),
    sizeText(memory),
    String(restarts),
    ageText(startedAt, now),
  ];
}
