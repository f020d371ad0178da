import { printable } from '../../model/printable.ts';
import { countText, latencyText, NOTHING, percentText } from '../format.ts';
import { Mark, State } from '../part/mark.tsx';
import { ServiceLink } from '../part/service-link.tsx';
import { Sparkline } from '../part/sparkline.tsx';
import { useSite } from '../site.ts';
import { instanceStanding, isHealthy, serviceStanding, wantedOf } from '../standing.ts';

/** So many marks of instances stand beside the figures. */
const MOST_MARKS = 12;

export function ServicesTable() {
  const { store, filter } = useSite();
  const names = store.serviceNames.value.filter((name) => name.includes(filter.value.trim().toLowerCase()));
  return (
    <div class="scroll">
      <table class="list">
        <caption class="hidden">Services</caption>
        <thead>
          <tr>
            <th scope="col">Service</th>
            <th scope="col">State</th>
            <th scope="col">Instances</th>
            <th scope="col" class="figure">
              Req/s
            </th>
            <th scope="col" class="figure">
              Errors
            </th>
            <th scope="col" class="figure wide">
              p50
            </th>
            <th scope="col" class="figure wide">
              p95
            </th>
            <th scope="col" class="figure medium">
              p99
            </th>
            <th scope="col" class="figure medium">
              In flight
            </th>
            <th scope="col" class="figure wide">
              Waiting
            </th>
            <th scope="col" class="medium">
              Version
            </th>
            <th scope="col" class="wide">
              15 min
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <ServiceRow key={name} name={name} />
          ))}
        </tbody>
      </table>
      {names.length === 0 && (
        <p class="empty">{filter.value === '' ? 'No services are configured.' : 'No service is called like that.'}</p>
      )}
    </div>
  );
}

function ServiceRow({ name }: { name: string }) {
  const { store, go } = useSite();
  const service = store.service(name)?.value;
  if (service === undefined) return null;
  const instances = store.instancesOf(name);
  const healthy = instances.filter(isHealthy).length;
  const { traffic } = service;
  const past = () => [...store.history.service(name, 'rps'), store.service(name)?.peek().traffic.rps ?? null];
  return (
    <tr class="clickable" data-row={name} onClick={() => go({ view: 'service', service: name })}>
      <th scope="row">
        <ServiceLink name={name} />
      </th>
      <td>
        <State standing={serviceStanding(service, healthy)} />
      </td>
      <td class="instances">
        <span class="ratio">
          {healthy}/{wantedOf(service)}
        </span>
        <span class="marks">
          {instances.slice(0, MOST_MARKS).map((instance) => (
            <Mark key={instance.id} standing={instanceStanding(instance)} isAlone />
          ))}
          {instances.length > MOST_MARKS && <span class="more">+{instances.length - MOST_MARKS}</span>}
        </span>
      </td>
      <td class="figure">{countText(traffic.rps)}</td>
      <td class={`figure ${(traffic.errorRate ?? 0) >= 0.01 ? 'is-bad' : ''}`}>{percentText(traffic.errorRate)}</td>
      <td class="figure wide">{latencyText(traffic.p50)}</td>
      <td class="figure wide">{latencyText(traffic.p95)}</td>
      <td class="figure medium">{latencyText(traffic.p99)}</td>
      <td class="figure medium">{countText(traffic.inFlight)}</td>
      <td class={`figure wide ${service.waiting > 0 ? 'is-warn' : ''}`}>{countText(service.waiting)}</td>
      <td class="medium">{printable(service.version ?? NOTHING)}</td>
      <td class="wide">
        <Sparkline label={`Requests per second of ${name}, last 15 minutes`} values={past} />
      </td>
    </tr>
  );
}
