/** What is used of autocannon, which is pinned to one version: its connections, beneath its own pace and figures. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  namespace autocannon {
    /** One connection, which works on one request at a time. */
    interface Client extends EventEmitter {
      readonly conn: Socket | undefined;
      readonly destroyed: boolean;
      readonly parser: {
        initialize(type: 'RESPONSE'): void;
        finish(): void;
        /** An error when the octets are no HTTP. */
        execute(chunk: Buffer): unknown;
      };
      readonly pipelinedRequests: {
        addBody(data: unknown): void;
        peek(): { readonly headers: ResponseHead } | undefined;
        terminateRequest(): Exchange | undefined;
      };
      _connect(): void;
      _destroyConnection(): void;
      _doRequest(): void;
    }
    interface ResponseHead {
      readonly statusCode?: number;
      /** Names and values in turn. */
      readonly headers?: readonly string[];
      readonly shouldKeepAlive?: boolean;
    }
    interface Exchange {
      readonly headers: ResponseHead;
      readonly bytes: number;
      readonly duration: number;
    }
    interface Options {
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      readonly connections: number;
      /** In seconds. */
      readonly duration: number;
      /** In seconds. */
      readonly timeout: number;
      /** Between two looks at whether it shall end, in milliseconds. */
      readonly sampleInt: number;
      readonly setupClient: (client: Client) => void;
    }
    interface Instance extends EventEmitter, PromiseLike<unknown> {
      stop(): void;
    }
  }

  function autocannon(options: autocannon.Options): autocannon.Instance;
  export = autocannon;
}
