import type { Instance } from '../../internal/model/instance.ts';
import { type Service, ServiceSchema } from '../../internal/model/service.ts';
import { newServiceState, type ServiceState } from '../../internal/model/service-state.ts';
import type { BalancedRequest } from '../../internal/proxy/request-context.ts';
import { Upstream } from '../../internal/proxy/upstream.ts';
import { instance } from './instance-row.ts';

export { instance } from './instance-row.ts';

export function service(overrides: Readonly<Record<string, unknown>> = {}): Service {
  return ServiceSchema.parse({ name: 'web', ...overrides });
}

/** A healthy one, unless told otherwise. */
export function upstream(id: string, overrides: Partial<Instance> & { health?: Upstream['health'] } = {}): Upstream {
  const { health = 'healthy', ...fields } = overrides;
  return Object.assign(new Upstream(instance(id, fields)), { health });
}

export function balancedRequest(fields: Readonly<Record<string, string>> = {}, target = '/'): BalancedRequest {
  return { target, clientAddress: '10.0.0.1', field: (name) => fields[name] };
}

/** Of the service `web`: nothing set by hand, nothing under way. */
export function serviceState(overrides: Partial<ServiceState> = {}): ServiceState {
  return { ...newServiceState('web'), ...overrides };
}
