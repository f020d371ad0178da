import type { NodeView } from '../../../internal/model/node-view.ts';
import { printable } from '../../../internal/model/printable.ts';
import { aligned } from '../aligned.ts';
import { marked } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { ageText } from '../terminal/units.ts';

const HEAD = ['node', 'state', 'instances', 'cores', 'load', 'address', 'manager', 'version', 'services'];
const TEXTS = [0, 1, 5, 6, 7, 8];

/** A row for each node. @param now - epoch milliseconds. */
export function nodesText(nodes: readonly NodeView[], paint: Paint, now: number): string {
  if (nodes.length === 0) return 'no node has shown a sign of life yet\n';
  const rows = nodes.map((node) => [
    node.self ? `${node.name} *` : node.name,
    stateText(node, paint, now),
    String(node.instances),
    String(node.cores),
    node.load.toFixed(2),
    printable(node.address),
    printable(node.url ?? '-'),
    printable(node.version),
    node.services.map(printable).join(', ') || '-',
  ]);
  const own = nodes.some(({ self }) => self) && nodes.length > 1 ? '* is the one that answers\n' : '';
  return aligned([HEAD.map((cell) => paint('dim', cell)), ...rows], TEXTS) + own;
}

function stateText({ alive, awaySince }: NodeView, paint: Paint, now: number): string {
  return alive ? marked('well', 'there', paint) : marked('bad', `away for ${ageText(awaySince, now)}`, paint);
}
