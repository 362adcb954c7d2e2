/** Draws for simulations of intervals. May not know: what is estimated. */
import type { RandomStream } from "../src/util/random.js";

/** Standard normal (Box and Muller, 1958). */
export const normal = (random: RandomStream): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

export const list = <T>(n: number, make: (index: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
