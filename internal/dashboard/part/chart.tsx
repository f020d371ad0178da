import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Series } from '../../model/live.ts';
import { SPAN_MS } from '../live/history.ts';
import { useSite } from '../site.ts';

const HEIGHT = 168;
/** Distances of lines of a grid of whole numbers. */
const WHOLE = [1, 10, 100, 1_000, 10_000, 100_000].flatMap((power) => [power, 2 * power, 5 * power]);
const AXIS_FONT = '11px system-ui, sans-serif';

export interface ChartLine {
  readonly label: string;
  /** The custom property that holds its colour; one that is registered in `tokens.css`. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly values: () => Series;
}

export interface ChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** The least top of the scale. */
  readonly top: number;
  /** Whether lines of the grid stand at whole numbers only. */
  readonly isWhole?: boolean;
}

/** The last 15 minutes with axes; the cursor of one chart shows in all. */
export function Chart(props: ChartProps) {
  const { title, lines } = props;
  const { store } = useSite();
  const host = useRef<HTMLDivElement>(null);
  const data = (): uPlot.AlignedData => {
    const times = [...store.history.times(), Date.parse(store.state.peek().at) / 1_000];
    return [times, ...lines.map(({ values }) => alignedTo(times.length, values()))];
  };
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    let plot: uPlot | null = null;
    let colours = '';
    const draw = () => {
      const next = data();
      const present = lines.map(({ colour }) => getComputedStyle(element).getPropertyValue(colour)).join();
      if (plot === null || colours !== present) {
        plot?.destroy(); // the theme is another one
        plot = new uPlot(optionsOf(props, element), next, element);
        colours = present;
      } else plot.setData(next);
      if (typeof plot.cursor.idx !== 'number') plot.setLegend({ idx: next[0].length - 1 }); // the figures of now
    };
    const fit = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    const stop = store.beat.subscribe(draw);
    fit.observe(element);
    return () => {
      stop();
      fit.disconnect();
      plot?.destroy();
    };
  }, []);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={host} class="plot" role="img" aria-label={`${title}, last 15 minutes`} />
    </figure>
  );
}

function alignedTo(length: number, values: Series): (number | null)[] {
  const missing = Math.max(0, length - values.length);
  return [...Array.from({ length: missing }, () => null), ...values.slice(-length)];
}

function optionsOf({ lines, format, top, isWhole = false }: ChartProps, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colourOf = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colourOf('--muted'), font: AXIS_FONT, ticks: { show: false }, gap: 6 };
  const grid = { stroke: colourOf('--line'), width: 1 };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: true, live: true },
    cursor: { sync: { key: 'service' }, points: { size: 6 }, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { range: (_plot, _from, to) => [to - SPAN_MS / 1_000, to] },
      y: { range: (_plot, _from, to) => [0, Math.max(top, (to ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, values: (_plot, times) => times.map(timeText), space: 70, size: 24 },
      {
        ...axis,
        grid,
        values: (_plot, values) => values.map(format),
        size: 58,
        space: 34,
        ...(isWhole ? { incrs: WHOLE } : {}),
      },
    ],
    series: [
      { label: 'time', value: (_plot, time) => (time === null ? '' : timeText(time)) },
      ...lines.map(({ label, colour, dash }, at) => ({
        label,
        stroke: colourOf(colour),
        width: 1.5,
        ...(dash === undefined ? {} : { dash: [...dash] }),
        ...(at === 0 ? { fill: faint(colourOf(colour)) } : {}),
        points: { show: false },
        value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value)),
      })),
    ],
  };
}

/** @param colour - as a browser tells a plain one: `rgb(74, 85, 207)`. */
function faint(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)');
}

function timeText(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
