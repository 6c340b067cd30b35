// How large a picture is shown. Pure; reads no byte.

/** Pictures up to so many pixels wide and high are shown larger, in whole steps, to at most `LARGE`. */
const SMALL = 160;
const LARGE = 480;

/** How many times as large as it is a picture of so many pixels is shown: a whole number ≥ 1. */
export function enlarged(width: number, height: number): number {
  const side = Math.max(width, height);
  return side > 0 && side <= SMALL ? Math.floor(LARGE / side) : 1;
}
