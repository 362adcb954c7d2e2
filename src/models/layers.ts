/** Pieces that several families share: linear layers, gated blocks, heads, rotary embedding, causal attention. */
import { add, concat, linear, matmul, mul, reshape, rotary, silu, slice, softmax, transpose } from "../graph/build.js";
import { product } from "../graph/dims.js";
import type { Dim, Value } from "../graph/ops.js";
import type { Attend, ParameterSpec, RopeTables } from "./model.js";

/** A linear layer as `torch.nn.Linear` has it: weight [out, in], and a bias or none. */
export interface Linear<T> {
  readonly weight: T;
  readonly bias?: T | undefined;
}

export const linearLayer = (name: string, output: number, input: number, bias: boolean): Linear<ParameterSpec> => ({
  weight: { name: `${name}.weight`, shape: [output, input] },
  ...(bias ? { bias: { name: `${name}.bias`, shape: [output] } } : {}),
});

/** x [N, in] → [N, out]. */
export function project(x: Value, { weight, bias }: Linear<Value>): Value {
  const product = linear(x, weight);
  return bias === undefined ? product : add(product, bias);
}

export interface GatedBlock<T> {
  readonly gate: Linear<T>;
  readonly up: Linear<T>;
  readonly down: Linear<T>;
}

/** The three layers of a gated feed-forward block under their usual names. */
export const gatedBlock = (name: string, hidden: number, inner: number, bias = false): GatedBlock<ParameterSpec> => ({
  gate: linearLayer(`${name}.gate_proj`, inner, hidden, bias),
  up: linearLayer(`${name}.up_proj`, inner, hidden, bias),
  down: linearLayer(`${name}.down_proj`, hidden, inner, bias),
});

/** down(f(gate(x)) · up(x)); Shazeer 2020, "GLU Variants Improve Transformer". */
export function gated(x: Value, { gate, up, down }: GatedBlock<Value>, f: (x: Value) => Value = silu): Value {
  return project(mul(f(project(x, gate)), project(x, up)), down);
}

/** [B*T, n*hd] → [B, n, T, hd]. */
export function splitHeads(x: Value, batch: Dim, time: Dim, heads: number, headDim: number): Value {
  return transpose(reshape(x, [batch, time, heads, headDim]), [0, 2, 1, 3]);
}

/** [B, n, T, hd] → [B*T, n*hd]. */
export function mergeHeads(x: Value, batch: Dim, time: Dim, heads: number, headDim: number): Value {
  return reshape(transpose(x, [0, 2, 1, 3]), [product([batch, time]), heads * headDim]);
}

/** Turns as many dimensions of each head as the tables cover, the first ones, and leaves the rest: x [B, n, T, hd]. */
export function rotate(x: Value, positions: Value, { cos, sin }: RopeTables): Value {
  const headDim = Number(x.type.shape[3]);
  const turned = 2 * Number(cos.type.shape[1]);
  if (turned === headDim) return rotary(x, positions, cos, sin);
  return concat([rotary(slice(x, 3, 0, turned), positions, cos, sin), slice(x, 3, turned, headDim - turned)], 3);
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
