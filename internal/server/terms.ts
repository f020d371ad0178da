/** What somebody who changes a thing wants to hold, and to hear of it. */
export interface Terms<Settings> {
  /** Asked in the turn of the change, with nothing in between; what it throws changes nothing. May be asked more than once. */
  permit(present: Settings): void;
  /** Told when it is changed. */
  changed(before: Settings, after: Settings): void;
}

export const UNCONDITIONAL: Terms<unknown> = { permit: () => {}, changed: () => {} };
