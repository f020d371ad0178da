import type { z } from 'zod';
import type { Told } from '../model/told.ts';
import type { ProblemCode } from './problem.ts';

export const TAGS = {
  instances: 'One running copy of a service each: added, shown, removed.',
  agents: 'Announce what runs elsewhere.',
  services: 'Changed, deployed, paused while they run.',
  deployments: 'What was deployed, and how it goes.',
  alerts: 'What is wrong, what people say of it, and who is told.',
  manager: 'How the manager is, and what happened.',
} as const;
export type Tag = keyof typeof TAGS;

/** What one endpoint does: `/openapi.json`, `/docs` and the text of `/` are made from it, and tests hold its answers against it. */
export interface Description<Q extends z.ZodObject = z.ZodObject, B extends z.ZodObject = z.ZodObject> {
  readonly tag: Tag;
  /** In one line. */
  readonly summary: string;
  /** What else there is to know. */
  readonly details?: string;
  /** The `:id` of the path. */
  readonly id?: PathPart;
  /** `Nothing`, here and below, when there is none. */
  readonly query: Q;
  readonly body: B;
  /** What a body looks like whose schema cannot tell it. */
  readonly writtenBody?: z.ZodType;
  /** Holds nothing secret and steers nothing: whoever comes under an allowed name gets it, without a token. */
  readonly isOpen?: boolean;
  /** Whether a signature may stand in for the token: see `pkg/http-guard/signature.ts`. */
  readonly isSignable?: boolean;
  /** Comes all the time and is not audited. */
  readonly isRoutine?: boolean;
  /** Whether what it is about has an `ETag`, which `If-Match`, and of `GET` `If-None-Match`, is compared with. */
  readonly conditional?: boolean;
  /**
   * Whether another node's manager may answer in place of this one: the one that is `named` in `?node=`, or else the `keeper`
   * of the instance that it is about. Its query takes `node` then.
   */
  readonly onNode?: 'named' | 'keeper';
  /** By status, those that tell of success. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Besides those that every endpoint may answer with. */
  readonly problems?: readonly ProblemCode[];
  /** Each of them works when it is sent to a manager that has what it names. */
  readonly examples: readonly [ExampleRequest, ...ExampleRequest[]];
}

interface PathPart {
  readonly name: string;
  readonly what: string;
  readonly schema: z.ZodType;
}

export interface Answer {
  readonly what: string;
  /** Of its JSON. */
  readonly schema?: z.ZodType;
  readonly example?: unknown;
  /** The type of what is no JSON, alone or for who asks for it. */
  readonly mediaType?: string;
  /** Server-sent events, by name. */
  readonly events?: Readonly<Record<string, EventDescription>>;
}

interface EventDescription {
  readonly what: string;
  /** Of its data, when that is JSON; absent: text. */
  readonly schema?: z.ZodType;
}

export interface ExampleRequest {
  /** What it does, when the summary does not tell. */
  readonly what?: string;
  readonly id?: string;
  /** Without `?`. */
  readonly query?: string;
  readonly body?: object;
  readonly accept?: string;
  /** The answer goes on. */
  readonly isStream?: boolean;
}

/** An answer in JSON. */
export function json<S extends z.ZodType>(what: string, schema: S, example: Told<z.output<S>>): Answer {
  return { what, schema, example };
}

/** An answer in text. @param mediaType - such as `text/plain`. */
export function text(what: string, mediaType: string): Answer {
  return { what, mediaType };
}
