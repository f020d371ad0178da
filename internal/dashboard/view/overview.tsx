import { FlowPicture } from '../flow/flow-picture.tsx';
import { Panel } from '../part/panel.tsx';
import { AlertsPanel } from './alerts-panel.tsx';
import { LoadBalancers } from './load-balancers.tsx';
import { NodesPanel } from './nodes-panel.tsx';
import { ServicesTable } from './services-table.tsx';
import { Tiles } from './tiles.tsx';
import { Timeline } from './timeline.tsx';

const LATEST = 10;

/** Everything at a glance. */
export function Overview() {
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <Tiles />
      <Panel title="Services">
        <ServicesTable />
      </Panel>
      <div class="columns">
        <div class="stack">
          <Panel title="Flow">
            <FlowPicture />
          </Panel>
          <LoadBalancers />
          <NodesPanel />
        </div>
        <div class="stack">
          <AlertsPanel />
          <Timeline most={LATEST} />
        </div>
      </div>
    </>
  );
}
