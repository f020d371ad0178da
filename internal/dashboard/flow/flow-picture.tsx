import { useEffect, useRef, useState } from 'preact/hooks';
import { countText } from '../format.ts';
import { Mark } from '../part/mark.tsx';
import { hashOf, HOME } from '../route.ts';
import { useSite } from '../site.ts';
import { labelIn } from './label.ts';
import { type FlowLink, type FlowNode, flowLayout } from './layout.ts';

const MARGIN = { top: 40, bottom: 10 };
/** Between two lines of a label. */
const LINE = 15;
/** Between a label and the next column. */
const CLEAR = 10;

/** Balancer, services and instances, and how many requests go where. */
export function FlowPicture() {
  const { store } = useSite();
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const fit = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 640)));
    if (host.current !== null) fit.observe(host.current);
    return () => fit.disconnect();
  }, []);
  const { services, instances, loadBalancers } = store.state.value;
  const flow = flowLayout(services, instances, width);
  const balancers = loadBalancers.filter(({ alive }) => alive).length;
  const serviceColumn = flow.services[0]?.x ?? width;
  const leafColumn = flow.leaves[0]?.x ?? width;
  const height = flow.height + MARGIN.top + MARGIN.bottom;
  const words = flow.services.map(({ label, rps }) => `${label} ${countText(rps)}`).join(', ');
  return (
    <div ref={host} class="flow">
      <svg
        viewBox={`0 ${-MARGIN.top} ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label={`Requests per second: ${words}`}
      >
        {flow.links.map((link) => (
          <Ribbon key={link.key} link={link} />
        ))}
        <Column node={{ ...flow.balancer, label: balancersText(balancers) }} room={serviceColumn} />
        {flow.services.map((node) => (
          <ServiceNode key={node.key} node={node} room={leafColumn - node.x - CLEAR} />
        ))}
        {flow.leaves.map((node) => (
          <Leaf key={node.key} node={node} right={width} />
        ))}
      </svg>
    </div>
  );
}

function balancersText(count: number): string {
  if (count === 0) return 'no load balancer';
  return count === 1 ? 'load balancer' : `${count} load balancers`;
}

function Ribbon({ link: { path, width, isIdle, standing } }: { link: FlowLink }) {
  const tone = standing === null || standing.tone === 'good' ? '' : `tone-${standing.tone}`;
  return <path class={`ribbon ${isIdle ? 'idle' : ''} ${tone}`} d={path} stroke-width={isIdle ? 1 : width} />;
}

function Bar({ node: { x, y, height } }: { node: FlowNode }) {
  return <rect class="flow-bar" x={x} y={y - height / 2} width={10} height={height} rx={3} />;
}

/** A bar with what it is and what goes through it above. @param room - for these, in pixels. */
function Column({ node, room }: { node: FlowNode; room: number }) {
  const above = node.y - node.height / 2 - 7;
  const figure = `${countText(node.rps)}/s`;
  const { text, isNarrow } = labelIn(room, node.label, figure);
  const isStacked = isNarrow || node.target === null; // the ribbons leave the first one no room on its right
  return (
    <>
      <Bar node={node} />
      <text class="flow-label strong" x={node.x} y={isStacked ? above - LINE : above}>
        {text !== node.label && <title>{node.label}</title>}
        {text}
        <tspan class="flow-figure" {...(isStacked ? { x: node.x, dy: LINE } : { dx: 7 })}>
          {figure}
        </tspan>
      </text>
    </>
  );
}

function ServiceNode({ node, room }: { node: FlowNode; room: number }) {
  return (
    <a href={hashOf({ ...HOME, view: 'service', service: node.label })}>
      <Column node={node} room={room} />
    </a>
  );
}

function Leaf({ node, right }: { node: FlowNode; right: number }) {
  const { go } = useSite();
  const { standing, target, label, rps, x, y } = node;
  const open = (event: Event) => {
    event.preventDefault();
    if (target !== null) go({ instance: target.name });
  };
  const content = (
    <>
      <Bar node={node} />
      {standing !== null && (
        <svg x={x + 16} y={y - 6} width={12} height={12}>
          <Mark standing={standing} isAlone />
        </svg>
      )}
      <text class="flow-label" x={x + 33} y={y + 4}>
        {label}
      </text>
      <text class="flow-figure" x={right} y={y + 4} text-anchor="end">
        {countText(rps)}/s
      </text>
    </>
  );
  if (target === null) return <g>{content}</g>;
  return (
    <a href={hashOf({ ...HOME, instance: target.name })} onClick={open}>
      {content}
    </a>
  );
}
