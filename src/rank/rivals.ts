/**
 * Which rivals each instruction's response is compared with: drawn uniformly, with replacement, from the responses of all
 * examples. A draw may hit the example itself (1 in n); that is a self-draw, and it counts as not greater.
 * May not know: models, tokens.
 * @see paper, section 4.2; the reference code draws `randint(0, n - 1)` five times per example
 */
import { randomStream } from "../util/random.js";

/**
 * @returns per example, `against` indices into the same examples. Each example has a stream of its own: more rivals keep the
 *   first ones, and an example's rivals depend on nothing but (seed, its index, how many examples there are).
 */
export function drawRivals(examples: number, against: number, seed: number): readonly (readonly number[])[] {
  return Array.from({ length: examples }, (_, index) => {
    const random = randomStream(seed, "rank: rivals", index);
    return Array.from({ length: against }, () => random.integer(examples));
  });
}
