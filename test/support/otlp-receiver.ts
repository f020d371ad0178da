import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { createServer } from '../../pkg/sockets/http.ts';
import { eventually } from './proxy-raw.ts';

const ValueSchema = z
  .object({ stringValue: z.string(), intValue: z.number(), doubleValue: z.number() })
  .partial()
  .transform(({ stringValue, intValue, doubleValue }) => stringValue ?? intValue ?? doubleValue);
const AttributesSchema = z
  .array(z.object({ key: z.string(), value: ValueSchema }))
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));
const SpanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  traceState: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.string().transform(BigInt),
  endTimeUnixNano: z.string().transform(BigInt),
  attributes: AttributesSchema,
  status: z.object({ code: z.number() }),
});
const ExportSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: AttributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(SpanSchema) })),
    }),
  ),
});

/** As OTLP numbers them. */
export const SERVER = 2;
export const CLIENT = 3;
export const FAILED = 2;

export type ReceivedSpan = z.infer<typeof SpanSchema> & { readonly resource: Readonly<Record<string, unknown>> };

/** A receiver of OTLP over HTTP in JSON, as collectors have it. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  readonly #server: Server;
  /** What it answers; null: nothing, ever. */
  status: number | null = 200;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const { resourceSpans } = ExportSchema.parse(await json(request));
      this.headers.push(request.headers);
      if (this.status === null) return;
      if (this.status === 200) {
        for (const { resource, scopeSpans } of resourceSpans) {
          for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
            this.spans.push({ ...span, resource: resource.attributes });
          }
        }
      }
      response.writeHead(this.status, { 'Content-Type': 'application/json' }).end('{}');
    });
  }

  static async open(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  /** The spans once there are as many; those of a trace in the order of their start. */
  async received(count: number): Promise<ReceivedSpan[]> {
    await eventually(`${count} spans (${this.spans.length})`, () => this.spans.length >= count);
    return this.spans.toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano) || a.kind - b.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
