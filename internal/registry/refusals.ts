import type { Deployment } from '../model/deployment.ts';
import { HeimdallError } from '../model/errors.ts';

/** What every driver refuses in the same words. */
export function instanceNotFound(id: string): HeimdallError {
  return new HeimdallError('INSTANCE_NOT_FOUND', `There is no instance ${id}.`, { id });
}

export function deploymentNotFound(id: number): HeimdallError {
  const message = `there is no deployment ${id}; GET /deployments shows them`;
  return new HeimdallError('DEPLOYMENT_NOT_FOUND', message, { id });
}

export function deploymentRunning({ id, service, kind, state }: Deployment): HeimdallError {
  const message =
    `a ${kind} of ${service} is ${state} already (deployment ${id}); ` +
    'wait until it is over, or let this one wait for its turn with ?queue=true';
  return new HeimdallError('DEPLOYMENT_RUNNING', message, { deployment: id });
}

/** @param name - which might have been an id or a key. */
export function alertNotFound(name: string): HeimdallError {
  const message = `there is no active alert with the id or key ${name}; GET /alerts?state=active shows them`;
  return new HeimdallError('ALERT_NOT_FOUND', message, { name });
}

export function silenceNotFound(id: number): HeimdallError {
  return new HeimdallError('SILENCE_NOT_FOUND', `there is no silence ${id}; GET /alerts/silences shows them`, { id });
}

export function channelNotFound(name: string): HeimdallError {
  const message = `there is no alert channel ${name} that came through the API; GET /alerts/channels shows them`;
  return new HeimdallError('CHANNEL_NOT_FOUND', message, { name });
}
