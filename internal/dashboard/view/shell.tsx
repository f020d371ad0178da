import { useSite } from '../site.ts';
import { ActionDialog } from '../action/action-dialog.tsx';
import { FreshnessBanner } from './freshness-banner.tsx';
import { Header } from './header.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { InstanceDrawer } from './instance-drawer.tsx';
import { InstancesTable } from './instances-table.tsx';
import { Login } from './login.tsx';
import { Notices } from './notices.tsx';
import { Overview } from './overview.tsx';
import { Panel } from '../part/panel.tsx';
import { ServicePage } from './service-page.tsx';
import { Activity } from './activity.tsx';

/** The whole page. */
export function Shell() {
  const { session, route, action, isHelpOpen, feed } = useSite();
  if (session.demand.value !== null) return <Login demand={session.demand.value} />;
  const { instance } = route.value;
  const { kind } = feed.freshness.value;
  return (
    <>
      <Header />
      <FreshnessBanner />
      <main id="main" class={kind} aria-busy={kind === 'loading'}>
        {kind === 'loading' ? <p class="empty">Loading…</p> : <View />}
      </main>
      {instance !== null && kind !== 'loading' && <InstanceDrawer id={instance} />}
      {action.value !== null && <ActionDialog action={action.value} />}
      {isHelpOpen.value && <HelpDialog />}
      <Notices />
    </>
  );
}

function View() {
  const { route } = useSite();
  const { view, service } = route.value;
  if (view === 'service' && service !== null) return <ServicePage key={service} name={service} />;
  if (view === 'instances') {
    return (
      <>
        <h1 class="hidden">All instances</h1>
        <Panel title="Instances">
          <InstancesTable service={null} />
        </Panel>
      </>
    );
  }
  return view === 'activity' ? <Activity /> : <Overview />;
}
