import { useEffect, useRef } from 'preact/hooks';
import type { Series } from '../../model/live.ts';
import { useSite } from '../site.ts';
import { useOnScreen } from './on-screen.ts';

const PADDING = 1.5;

export interface SparklineProps {
  /** Of the past, and the figure of now last. */
  readonly values: () => Series;
  /** What it shows, for who cannot see it. */
  readonly label: string;
  readonly class?: string;
  /** The top of the scale; default: the largest value. */
  readonly top?: number;
}

/** The last 15 minutes in a line, drawn at most once per message and only while it can be seen. */
export function Sparkline({ values, label, class: extra = '', top }: SparklineProps) {
  const { store } = useSite();
  const canvas = useRef<HTMLCanvasElement>(null);
  const isSeen = useOnScreen(canvas);
  const latest = useRef(values);
  latest.current = values;
  useEffect(() => {
    const draw = () => {
      if (canvas.current !== null && isSeen.peek()) drawLine(canvas.current, latest.current(), top);
    };
    const stops = [store.beat.subscribe(draw), isSeen.subscribe(draw)];
    return () => stops.forEach((stop) => stop());
  }, []);
  return <canvas ref={canvas} class={`spark ${extra}`} role="img" aria-label={label} />;
}

/** Writes only when there is something to change: each of these costs a reset of the canvas. */
function fit(canvas: HTMLCanvasElement, ratio: number): void {
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function drawLine(canvas: HTMLCanvasElement, values: Series, top = 0): void {
  const ratio = window.devicePixelRatio;
  fit(canvas, ratio);
  const context = canvas.getContext('2d');
  if (context === null || values.length < 2) return;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const largest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), Math.max(top, 1e-9));
  const x = (at: number) => (at / (values.length - 1)) * width;
  const y = (value: number) => height - PADDING * ratio - (value / largest) * (height - 2 * PADDING * ratio);
  const colour = getComputedStyle(canvas).color;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1.25 * ratio;
  context.lineJoin = 'round';
  for (const [from, to] of runsOf(values)) {
    context.beginPath();
    for (let at = from; at <= to; at += 1) context.lineTo(x(at), y(values[at] ?? 0));
    context.stroke();
    context.lineTo(x(to), height);
    context.lineTo(x(from), height);
    context.globalAlpha = 0.13;
    context.fill();
    context.globalAlpha = 1;
  }
}

/** First and last places of what is known without a gap. */
function runsOf(values: Series): [number, number][] {
  const runs: [number, number][] = [];
  for (const [at, value] of values.entries()) {
    const last = runs.at(-1);
    if (value === null) continue;
    if (last !== undefined && last[1] === at - 1) last[1] = at;
    else runs.push([at, at]);
  }
  return runs;
}
