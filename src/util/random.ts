/**
 * Seeded random streams. Every use names its purpose, so that adding one never moves another.
 * May not know: anything of the domain.
 */
import { createHash } from "node:crypto";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface RandomStream {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, n). */
  integer(n: number): number;
  /** A new array in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/** The stream for (seed, purpose, index): equal arguments give equal streams on every machine. */
export function randomStream(seed: number, purpose: string, index = 0): RandomStream {
  const digest = createHash("sha256").update(`${seed}\n${purpose}\n${index}`).digest();
  const generator = xoroshiro128plus(digest.readInt32LE(0));
  const bits = (): number => generator.next() >>> 0;
  const uniform = (): number => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 0x20000000000000;
  const integer = (n: number): number => Math.floor(uniform() * n);
  return {
    uniform,
    integer,
    shuffle: (items) => {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [result[i], result[j]] = [result[j] as (typeof result)[number], result[i] as (typeof result)[number]];
      }
      return result;
    },
  };
}
