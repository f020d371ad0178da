import { HealthMonitor } from '../../../internal/health/monitor.ts';
import { type ProbeResult, startProbe } from '../../../internal/health/probe.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { systemClock } from '../../../pkg/clock/clock.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';

/**
 * `node prober.ts PORT TARGETS SETTINGS`: probes so many instances, all of them behind one port of 127.0.0.1, and does
 * nothing else. A message to the process asks for the counts.
 */
const [port = '', targets = '', settings = '{}'] = process.argv.slice(2);
const check = HealthCheckSchema.parse(JSON.parse(settings));
const counts = { probes: 0, failures: 0 };

const monitor = new HealthMonitor({
  startProbe: (target, check, done, keeper) => {
    const counted = (result: ProbeResult) => {
      counts.probes += 1;
      if (!result.passed) counts.failures += 1;
      done(result);
    };
    return startProbe(target, check, counted, keeper);
  },
  clock: systemClock,
  random: Math.random,
  onTransition() {},
  log: createLogger({ name: 'prober', level: 'silent', pretty: false }),
});
const target = { host: '127.0.0.1', port: Number(port), check, incarnation: '1' };
monitor.set(new Map(Array.from({ length: Number(targets) }, (_, index) => [`web-${index}`, target])));

process.on('message', () => process.send?.(counts));
process.on('disconnect', () => process.exit(0));
