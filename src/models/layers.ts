/** Pieces that several families share: heads, causal attention. */
import { add, matmul, reshape, softmax, transpose } from "../graph/build.js";
import { product } from "../graph/dims.js";
import type { Dim, Value } from "../graph/ops.js";
import type { Attend } from "./model.js";

/** [B*T, n*hd] → [B, n, T, hd]. */
export function splitHeads(x: Value, batch: Dim, time: Dim, heads: number, headDim: number): Value {
  return transpose(reshape(x, [batch, time, heads, headDim]), [0, 2, 1, 3]);
}

/** [B, n, T, hd] → [B*T, n*hd]. */
export function mergeHeads(x: Value, batch: Dim, time: Dim, heads: number, headDim: number): Value {
  return reshape(transpose(x, [0, 2, 1, 3]), [product([batch, time]), heads * headDim]);
}

/** What is added to a score that must not count; its exponential is exactly 0 in single precision. */
export const MASKED = -1e30;

/**
 * Attention of a whole sequence over itself. Query heads that share a key/value head are stacked along time, so that no key or
 * value is ever repeated in memory.
 *
 * @param maskFor f32 [T, T], 0 where row may see column and `MASKED` elsewhere; one for each window width
 */
export function causalAttention(maskFor: (window: number | undefined) => Value): Attend {
  return (q, k, v, { window, scale }) => {
    const [batch, heads, time, headDim] = q.type.shape as readonly [Dim, number, Dim, number];
    const kvHeads = k.type.shape[1] as number;
    const stacked = product([heads / kvHeads, time]);
    const scores = matmul(reshape(q, [batch, kvHeads, stacked, headDim]), k, { transB: true, alpha: scale });
    const masked = add(reshape(scores, [batch, heads, time, time]), maskFor(window));
    const weights = reshape(softmax(masked), [batch, kvHeads, stacked, time]);
    return reshape(matmul(weights, v), [batch, heads, time, headDim]);
  };
}

/** Row-major [T, T] for `causalAttention`. */
export function causalMask(time: number, window: number | undefined): Float32Array {
  const mask = new Float32Array(time * time);
  for (let row = 0; row < time; row++) {
    mask.fill(MASKED, row * time + row + 1, (row + 1) * time);
    if (window !== undefined && row >= window) mask.fill(MASKED, row * time, row * time + row - window + 1);
  }
  return mask;
}
