/**
 * Vectors of length 1 and their cosines, in double precision.
 * May not know: where vectors come from, files.
 */
import { invariant, UserError } from "../util/errors.js";

/** @throws UserError  the vector has no direction, or a value that is NaN or infinite */
export function normalized(vector: ArrayLike<number>): Float64Array {
  const length = Math.sqrt(Array.from(vector).reduce((sum, x) => sum + x * x, 0));
  if (!Number.isFinite(length) || length === 0) {
    throw new UserError(`an embedding has length ${length}`, {
      remedy: "the encoder is broken: its vectors have no direction",
    });
  }
  return Float64Array.from(vector, (x) => x / length);
}

/** Of two vectors of length 1. */
export function cosine(a: Float64Array, b: Float64Array): number {
  invariant(a.length === b.length, `cosine of ${a.length} and ${b.length} numbers`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** The mean of vectors of length 1: its product with another one is the mean of their cosines. */
export function centroid(vectors: readonly Float64Array[]): Float64Array {
  const [first] = vectors;
  invariant(first !== undefined, "the centroid of nothing");
  const sum = new Float64Array(first.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0);
  return sum.map((x) => x / vectors.length);
}
