import { nodeNameOf } from '../../internal/config/node-name.ts';
import type { Config } from '../../internal/config/schema.ts';
import type { AlertSink } from '../../pkg/alerts/alert.ts';
import { PlacedSink } from '../../pkg/alerts/placed-sink.ts';

/** Takes what a process tells of its own machine, which it names where the registry is for several. */
export function sinkOf(config: Pick<Config, 'node' | 'registry'>, sink: AlertSink): AlertSink {
  return config.registry.etcd === undefined ? sink : new PlacedSink(sink, nodeNameOf(config));
}
