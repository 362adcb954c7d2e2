/** Pieces that several families share: linear layers, gated blocks, heads, rotary embedding, causal attention. */
import {
  add,
  concat,
  layerNorm,
  linear,
  matmul,
  mul,
  reshape,
  rotary,
  silu,
  slice,
  softmaxMatmul,
  split,
  transpose,
} from "../graph/build.js";
import { product, quotient } from "../graph/dims.js";
import type { Dim, Value } from "../graph/ops.js";
import { present } from "../util/errors.js";
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

/** Weight and bias of a layer norm. */
export const normLayer = (name: string, width: number) => ({
  weight: { name: `${name}.weight`, shape: [width] },
  bias: { name: `${name}.bias`, shape: [width] },
});

export const normed = (
  x: Value,
  { weight, bias }: { readonly weight: Value; readonly bias: Value },
  epsilon: number,
): Value => layerNorm(x, weight, bias, epsilon);

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
 * value is ever repeated in memory. Queries are cut into `blocks` along time, and a block meets the keys up to its own end alone:
 * of the masked half of all scores, 1 / blocks is left to compute.
 *
 * @param maskFor f32 [T / blocks, (block + 1) · T / blocks]: the rows of that block, 0 where row may see column and `MASKED`
 *                elsewhere; one for each window width
 * @param blocks  must divide T
 */
export function causalAttention(maskFor: (window: number | undefined, block: number) => Value, blocks = 1): Attend {
  return (q, k, v, { window, scale }) => {
    const [batch, heads, time, headDim] = q.type.shape as readonly [Dim, number, Dim, number];
    const kvHeads = k.type.shape[1] as number;
    const rows = quotient(time, blocks);
    const stacked = product([heads / kvHeads, rows]);
    const cut = (x: Value, count: number): readonly Value[] =>
      split(reshape(x, [batch, count, blocks, rows, headDim]), 2, blocks);
    const [queries, keys, values] = [cut(q, heads), cut(k, kvHeads), cut(v, kvHeads)];
    const attended = queries.map((query, block) => {
      const seen = product([block + 1, rows]);
      const upTo = (parts: readonly Value[]): Value =>
        reshape(joined(parts.slice(0, block + 1), 2), [batch, kvHeads, seen, headDim]);
      const grouped = reshape(query, [batch, kvHeads, stacked, headDim]);
      const scores = matmul(grouped, upTo(keys), { transB: true, alpha: scale });
      const masked = add(reshape(scores, [batch, heads, rows, seen]), maskFor(window, block));
      const mixed = softmaxMatmul(reshape(masked, [batch, kvHeads, stacked, seen]), upTo(values));
      return reshape(mixed, [batch, heads, 1, rows, headDim]);
    });
    return reshape(joined(attended, 2), [batch, heads, time, headDim]);
  };
}

const joined = ([first, ...rest]: readonly Value[], axis: number): Value => {
  const start = present(first, "part");
  return rest.length === 0 ? start : concat([start, ...rest], axis);
};

/** Row-major [T, T]: the masks of all blocks of `causalAttention`, and what lies right of them. */
export function causalMask(time: number, window: number | undefined): Float32Array {
  const mask = new Float32Array(time * time);
  for (let row = 0; row < time; row++) {
    mask.fill(MASKED, row * time + row + 1, (row + 1) * time);
    if (window !== undefined && row >= window) mask.fill(MASKED, row * time, row * time + row - window + 1);
  }
  return mask;
}
