import { createTraceState, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Attributes, Span } from './span.ts';

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
const NANOSECONDS_PER_MS = 1e6;
const NOTHING_DROPPED = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };

/** Where spans come from: what they all have in common. */
export interface Origin {
  readonly resource: Resource;
  readonly scope: ReadableSpan['instrumentationScope'];
}

/** A span as exporters of OpenTelemetry take it. */
export function readableSpan(span: Span, { resource, scope }: Origin): ReadableSpan {
  const { traceId, spanId, parent, name, kind, startedAt, endedAt, failed } = span;
  const traceState = span.state === '' ? {} : { traceState: createTraceState(span.state) };
  const traceFlags = TraceFlags.SAMPLED;
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => ({ traceId, spanId, traceFlags, ...traceState }),
    ...(parent !== null && { parentSpanContext: { traceId, ...parent, traceFlags } }),
    startTime: hrTime(startedAt),
    endTime: hrTime(endedAt),
    duration: hrTime(endedAt - startedAt),
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: present(span.attributes),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    ...NOTHING_DROPPED,
  };
}

/** @param milliseconds - with fractions. @returns seconds and nanoseconds. */
export function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.floor((milliseconds - seconds * 1_000) * NANOSECONDS_PER_MS)];
}

function present(attributes: Attributes): Record<string, string | number> {
  const kept: Record<string, string | number> = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
