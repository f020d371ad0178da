import type { ProbeResult, StartProbe } from '../../internal/health/probe.ts';
import type { ProbeTarget } from '../../internal/health/probe-request.ts';
import type { HealthCheck } from '../../internal/model/health-check.ts';

/** A probe in the form of a promise, which may take its time after an abort. */
export type PromisedProbe = (target: ProbeTarget, check: HealthCheck, signal: AbortSignal) => Promise<ProbeResult>;

export function startOf(probe: PromisedProbe): StartProbe {
  return (target, check, done) => {
    const ending = new AbortController();
    void probe(target, check, ending.signal).then(done);
    return ending;
  };
}
