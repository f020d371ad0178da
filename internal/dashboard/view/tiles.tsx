import type { ComponentChildren } from 'preact';
import type { LiveService, Series } from '../../model/live.ts';
import { countText, latencyText, percentText } from '../format.ts';
import type { ServiceFigure } from '../live/history.ts';
import { Sparkline } from '../part/sparkline.tsx';
import { useSite } from '../site.ts';
import { isHealthy, type Tone, wantedOf } from '../standing.ts';

/** The whole system in six figures. */
export function Tiles() {
  const { store } = useSite();
  const { services, instances } = store.state.value;
  const rps = sumOf(services.map(({ traffic }) => traffic.rps));
  const slowest = slowestOf(services);
  const wanted = sumOf(services.map(wantedOf));
  const healthy = instances.filter(isHealthy).length;
  const waiting = sumOf(services.map((service) => service.waiting));
  const past = (figure: ServiceFigure, join: (values: readonly number[]) => number) => (): Series =>
    joined(
      store.serviceNames.peek().map((name) => store.history.service(name, figure)),
      join,
    );
  return (
    <div class="tiles">
      <Tile label="Requests per second" value={countText(rps)}>
        <Sparkline label="Requests per second, last 15 minutes" values={past('rps', sumOf)} />
      </Tile>
      <Tile
        label="Errors"
        value={percentText(errorRateOf(services))}
        tone={(errorRateOf(services) ?? 0) >= 0.01 ? 'bad' : 'idle'}
      >
        <Sparkline label="Share of errors, last 15 minutes" values={past('errorRate', mostOf)} top={0.02} />
      </Tile>
      <Tile
        label={slowest === null ? 'p99' : `p99, slowest: ${slowest.name}`}
        value={latencyText(slowest?.traffic.p99 ?? null)}
      >
        <Sparkline label="p99 of the slowest service, last 15 minutes" values={past('p99', mostOf)} />
      </Tile>
      <Tile label="In flight" value={countText(sumOf(services.map(({ traffic }) => traffic.inFlight)))}>
        <Sparkline label="Requests in flight, last 15 minutes" values={past('inFlight', sumOf)} />
      </Tile>
      <Tile label="Waiting" value={countText(waiting)} tone={waiting > 0 ? 'warn' : 'idle'} />
      <Tile
        label="Healthy instances"
        value={`${healthy} / ${wanted}`}
        tone={healthy === 0 && wanted > 0 ? 'bad' : healthy < wanted ? 'warn' : 'idle'}
      />
    </div>
  );
}

function Tile(props: {
  readonly label: string;
  readonly value: string;
  readonly tone?: Tone;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`tile tone-${props.tone ?? 'idle'}`}>
      <div class="tile-label">{props.label}</div>
      <div class="tile-value">{props.value}</div>
      {props.children}
    </div>
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function mostOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** Of all requests; null when there were none. */
function errorRateOf(services: readonly LiveService[]): number | null {
  const rated = services.filter(({ traffic }) => traffic.errorRate !== null);
  const ended = sumOf(rated.map(({ traffic }) => traffic.rps));
  if (ended === 0) return null;
  return sumOf(rated.map(({ traffic }) => traffic.rps * (traffic.errorRate ?? 0))) / ended;
}

function slowestOf(services: readonly LiveService[]): LiveService | null {
  const known = services.filter(({ traffic }) => traffic.p99 !== null);
  return known.toSorted((a, b) => (b.traffic.p99 ?? 0) - (a.traffic.p99 ?? 0))[0] ?? null;
}

/** Several series in one, from the newest point backwards; null where none knows anything. */
function joined(all: readonly Series[], join: (values: readonly number[]) => number): Series {
  const length = Math.max(0, ...all.map((series) => series.length));
  return Array.from({ length }, (_, at) => {
    const known = all.map((series) => series[at - length + series.length] ?? null).filter((value) => value !== null);
    return known.length === 0 ? null : join(known);
  });
}
