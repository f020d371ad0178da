/** Of one character of a label at most, in pixels: 12 of them high, and bold. */
const CHARACTER = 7;

export interface Label {
  readonly text: string;
  /** There is no room for the figure beside it. */
  readonly isNarrow: boolean;
}

/** A name and its figure in the room there is, in pixels; a name that is too long for it is cut. */
export function labelIn(room: number, name: string, figure: string): Label {
  const most = Math.max(2, Math.floor(room / CHARACTER));
  if (name.length + 1 + figure.length <= most) return { text: name, isNarrow: false };
  return { text: name.length <= most ? name : `${name.slice(0, most - 1)}…`, isNarrow: true };
}
