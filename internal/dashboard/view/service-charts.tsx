import { countText, latencyText, percentText } from '../format.ts';
import type { ServiceFigure } from '../live/history.ts';
import { Chart, type ChartLine } from '../part/chart.tsx';
import { useSite } from '../site.ts';

export function ServiceCharts({ name }: { readonly name: string }) {
  const { store } = useSite();
  const line = (label: string, figure: ServiceFigure, colour: string, dash?: readonly number[]): ChartLine => ({
    label,
    colour,
    ...(dash === undefined ? {} : { dash }),
    values: () => [...store.history.service(name, figure), store.service(name)?.peek().traffic[figure] ?? null],
  });
  return (
    <div class="charts" key={name}>
      <Chart
        title="Requests per second"
        lines={[line('req/s', 'rps', '--accent')]}
        format={countText}
        top={4}
        isWhole
      />
      <Chart title="Errors" lines={[line('errors', 'errorRate', '--bad')]} format={percentText} top={0.04} />
      <Chart
        title="Time to response head"
        lines={[
          line('p50', 'p50', '--accent'),
          line('p95', 'p95', '--series-2', [6, 3]),
          line('p99', 'p99', '--series-3', [2, 3]),
        ]}
        format={latencyText}
        top={8}
      />
      <Chart title="In flight" lines={[line('in flight', 'inFlight', '--accent')]} format={countText} top={4} isWhole />
    </div>
  );
}
