import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'inverse' | 'underline';

/** Gives a text a colour or a weight. */
export type Paint = (style: Style, text: string) => string;

/** Leaves everything as it is. */
export const plain: Paint = (_style, text) => text;

/** Colours where the stream is a terminal and nobody has set NO_COLOR; FORCE_COLOR has them anyway. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

/** Of the colours that tell apart, the one of this number. */
export function nthColour(n: number): Style {
  return COLOURS[n % COLOURS.length] ?? 'cyan';
}

const COLOURS: readonly Style[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];
