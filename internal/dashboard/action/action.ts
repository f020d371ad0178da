import type { Client } from '../../client/client.ts';

/** One input of an action's dialog. Values are text, as they were typed. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: 'number' | 'text' | 'choice' | 'variables';
  readonly value: string;
  readonly hint?: string;
  readonly isRequired?: boolean;
  /** Of a number. */
  readonly min?: number;
  readonly max?: number;
  /** Of a choice; of a text, what is suggested. */
  readonly options?: readonly { readonly value: string; readonly label: string }[];
}

type Values = Readonly<Record<string, string>>;

/** What can be watched while an action goes on. */
export type Watch =
  | { readonly kind: 'drain'; readonly instance: string }
  | { readonly kind: 'start'; readonly service: string; readonly known: ReadonlySet<string> }
  | { readonly kind: 'deployment'; readonly id: number };

/** How an action ended. */
interface Outcome {
  readonly said: string;
  /** What it has only begun. */
  readonly watch?: Watch;
}

/** Something that a person can have done, after a look at what it means. */
export interface Action {
  readonly title: string;
  /** What will happen, in words; follows what is typed. */
  readonly meaning: (values: Values) => string;
  readonly fields: readonly Field[];
  /** On the button. */
  readonly verb: string;
  /** Something ends that does not come back by itself. */
  readonly isDestructive?: boolean;
  /** What can be watched from the start. */
  readonly watch?: Watch;
  readonly run: (client: Client, values: Values) => Promise<Outcome>;
}
