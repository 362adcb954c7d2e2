/**
 * Attention of new tokens over a cache of blocks and over themselves, so made that a row's result does not depend, in any bit, on
 * what shares its batch.
 *
 * Every sum has a length that the row alone decides. Scores and weighted values are computed block by block of `BLOCK` positions, the
 * blocks are added up by a matrix product with ones, whose kernel adds in the order of the blocks, and the blocks that only a longer
 * neighbour needs are masked: their weights are exactly 0 and adding 0 changes nothing. An ordinary reduction over the blocks would
 * group them by their number.
 * May not know: models, sampling, files.
 */
import {
  add,
  div,
  exp,
  fill,
  gather,
  input,
  less,
  matmul,
  max,
  maximum,
  mul,
  reshape,
  scalar,
  select,
  slice,
  sub,
  sum,
  transpose,
} from "../graph/build.js";
import { product } from "../graph/dims.js";
import type { Dim, Graph, Value } from "../graph/ops.js";
import { MASKED } from "../models/layers.js";
import type { Attend } from "../models/model.js";
import { present } from "../util/errors.js";

/** Positions in one block of the cache. */
export const BLOCK = 64;

export interface CachedAttention {
  readonly attend: Attend;
  /** Keys and values of the new tokens by layer, [B, KV, T, hd]: what the cache is to take in. */
  readonly fresh: ReadonlyMap<string, Value>;
}

export const keyName = (layer: number): string => `k.${layer}`;
export const valueName = (layer: number): string => `v.${layer}`;

/**
 * Named sizes: N tokens, in B rows of T places, NB blocks held. Everything but attention is computed on the tokens alone; here they are
 * spread over their rows, and gathered again. Adds the inputs `k.i` and `v.i` [NB,B,KV,1,BLOCK,hd] of each layer, `lengths` [B]
 * (positions held), `slots` [NB,BLOCK] (0, 1, 2 …), `steps` [T] (0, 1, 2 …), and i64 `tokens` [B,T], the token at each place (any where
 * there is none), and `places` [N], the place of each token.
 *
 * Query heads that share a key/value head (`group` of them) are an axis of their own and not stacked along time: with one new token
 * each product is a vector by a block, for which the kernel reads the block where it lies instead of packing it first.
 */
export function cachedAttention(graph: Graph): CachedAttention {
  const rows = spreading(graph);
  const masks = attentionMasks(graph);
  const fresh = new Map<string, Value>();
  const attend: Attend = (packedQ, packedK, packedV, { index, window, scale }) => {
    const [q, k, v] = [rows.spread(packedQ), rows.spread(packedK), rows.spread(packedV)];
    const [batch, heads, time, headDim] = q.type.shape as readonly [Dim, number, Dim, number];
    const kvHeads = k.type.shape[1] as number;
    const group = heads / kvHeads;
    const cached = (name: string): Value => input(graph, name, "f32", ["NB", batch, kvHeads, 1, BLOCK, headDim]);
    const shared = (x: Value): Value => reshape(x, [batch, kvHeads, 1, time, headDim]);
    fresh.set(keyName(index), k).set(valueName(index), v);
    const { past, own } = masks(window);

    const queries = reshape(mul(q, scale), [1, batch, kvHeads, group, time, headDim]);
    const ownQueries = reshape(queries, [batch, kvHeads, group, time, headDim]);
    const pastScores = add(matmul(queries, cached(keyName(index)), { transB: true }), past); // [NB, B, KV, group, T, BLOCK]
    const ownScores = add(matmul(ownQueries, shared(k), { transB: true }), own); // [B, KV, group, T, T]
    const top = maximum(max(max(pastScores, [-1], true), [0]), max(ownScores, [-1], true)); // [B, KV, group, T, 1]

    const pastWeights = exp(sub(pastScores, top));
    const ownWeights = exp(sub(ownScores, top));
    const pastValues = addUpBlocks(matmul(pastWeights, cached(valueName(index)))); // [B, KV, group, T, hd]
    const total = add(addUpBlocks(sum(pastWeights, [-1], true)), sum(ownWeights, [-1], true));
    const attended = div(add(pastValues, matmul(ownWeights, shared(v))), total);
    return rows.gathered(reshape(attended, [batch, heads, time, headDim]));
  };
  return { attend, fresh };
}

/** Between tokens [N, heads, 1, hd] and rows [B, heads, T, hd]. */
function spreading(graph: Graph) {
  const tokens = reshape(input(graph, "tokens", "i64", ["B", "T"]), ["B*T"]);
  const places = input(graph, "places", "i64", ["N"]);
  return {
    spread(x: Value): Value {
      const [count, heads, , headDim] = x.type.shape as readonly [Dim, number, 1, number];
      const rows = gather(reshape(x, [count, heads * headDim]), tokens);
      return transpose(reshape(rows, ["B", "T", heads, headDim]), [0, 2, 1, 3]);
    },
    gathered(x: Value): Value {
      const [, heads, , headDim] = x.type.shape as readonly [Dim, number, Dim, number];
      const rows = reshape(transpose(x, [0, 2, 1, 3]), ["B*T", heads * headDim]);
      return reshape(gather(rows, places), ["N", heads, 1, headDim]);
    },
  };
}

/** The sum over the first axis, in its order. */
function addUpBlocks(x: Value): Value {
  const [blocks, ...rest] = x.type.shape;
  const flat = reshape(x, [present(blocks, "blocks"), product(rest)]);
  const ones = fill(x.graph, 1, [2, present(blocks, "blocks")]); // a single row would take a kernel that adds in another order
  return reshape(slice(matmul(ones, flat), 0, 0, 1), rest);
}

interface Masks {
  readonly past: Value; // [NB, B, 1, 1, 1 or T, BLOCK]
  readonly own: Value; // [T, T]
}

/** 0 where a query may look and `MASKED` elsewhere, for each window width once. */
function attentionMasks(graph: Graph): (window: number | undefined) => Masks {
  const slots = reshape(input(graph, "slots", "f32", ["NB", BLOCK]), ["NB", 1, 1, 1, 1, BLOCK]);
  const lengths = reshape(input(graph, "lengths", "f32", ["B"]), [1, "B", 1, 1, 1, 1]);
  const steps = input(graph, "steps", "f32", ["T"]);
  const [seen, hidden] = [scalar(graph, 0), scalar(graph, MASKED)];
  const past = select(less(slots, lengths), seen, hidden);
  const ago = sub(reshape(steps, ["T", 1]), reshape(steps, [1, "T"]));
  const own = select(less(ago, seen), hidden, seen);
  const made = new Map<number | undefined, Masks>([[undefined, { past, own }]]);
  return (window) => {
    const known = made.get(window);
    if (known !== undefined) return known;
    const width = scalar(graph, window ?? 0);
    const queries = add(lengths, reshape(steps, [1, 1, 1, 1, "T", 1]));
    const masks = {
      past: select(less(sub(queries, slots), width), past, hidden),
      own: select(less(ago, width), own, hidden),
    };
    made.set(window, masks);
    return masks;
  };
}
