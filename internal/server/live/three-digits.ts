/** A figure without the noise in it: its three significant digits. */
export function threeDigits(figure: number): number {
  return Number(figure.toPrecision(3));
}
