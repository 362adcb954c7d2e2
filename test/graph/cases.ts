/** A table of small random calls for every operator. The compiler proves it complete: a new operator does not compile without one. */
import fc from "fast-check";
import * as b from "../../src/graph/build.js";
import { product } from "../../src/graph/dims.js";
import type { Op, Value } from "../../src/graph/ops.js";
import { type Axis, axes, broadcastable, type Case, dims, known, samples, sizes } from "./samples.js";

type Range = { readonly low?: number; readonly high?: number; readonly signed?: boolean };
type Reduction = (x: Value, over: readonly number[], keepDims: boolean) => Value;

const rank0to3 = axes({ min: 0, max: 3 });
const rank1to3 = axes({ min: 1, max: 3 });
const small = fc.integer({ min: 1, max: 3 });
const positive: Range = { low: 0.4, high: 2.5, signed: false };

const unary = (f: (x: Value) => Value, range: Range = {}): Case =>
  samples(rank0to3, (shape, draw) => ({ feeds: [draw.floats(shape, range)], build: (_, [x]) => f(x!) }));

const binary = (f: (x: Value, y: Value) => Value, second: Range = {}): Case =>
  samples(broadcastable(2), ([left, right], draw) => ({
    feeds: [draw.floats(left!), draw.floats(right!, second)],
    build: (_, [x, y]) => f(x!, y!),
  }));

const comparison = (f: (x: Value, y: Value) => Value): Case =>
  samples(broadcastable(2), ([left, right], draw) => ({
    feeds: [draw.halves(left!), draw.halves(right!)],
    build: (_, [x, y]) => f(x!, y!),
  }));

const alongLast = (f: (x: Value) => Value): Case =>
  samples(rank1to3, (shape, draw) => ({ feeds: [draw.floats(shape)], build: (_, [x]) => f(x!) }));

/** Any subset of the axes, also none; only axes of known size where `averaged`. */
const reduction = (f: Reduction, averaged = false): Case =>
  samples(
    fc.tuple(rank0to3, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.boolean()),
    ([shape, reduced, keep], draw) => {
      const over = shape.flatMap((_, i) => (reduced[i] ? [i] : []));
      const list = averaged ? shape.map((axis, i) => (reduced[i] ? known(axis.size) : axis)) : shape;
      return { feeds: [draw.floats(list)], build: (_, [x]) => f(x!, over, keep) };
    },
  );

const batched = fc.record({
  batch: broadcastable(2, 2),
  inner: axes({ min: 3, max: 3 }, 10),
  transA: fc.boolean(),
  transB: fc.boolean(),
  alpha: fc.constantFrom(1, 0.25, -2),
});
const matmul = samples(batched, ({ batch, inner, ...options }, draw) => {
  const [m, k, n] = inner as [Axis, Axis, Axis];
  const left = options.transA ? [k, m] : [m, k];
  const right = options.transB ? [n, k] : [k, n];
  return {
    feeds: [draw.floats([...batch[0]!, ...left]), draw.floats([...batch[1]!, ...right])],
    build: (_, [x, y]) => b.matmul(x!, y!, options),
  };
});

const eightBit = fc.record({
  rows: axes({ min: 1, max: 1 }),
  columns: small,
  width: fc.constantFrom(1, 16, 31, 64),
  blockSize: fc.constantFrom(16, 32),
});
/** Fed, not baked: so that the runtime computes with the rows as they are. */
const linearQ8 = samples(eightBit, ({ rows, columns, width, blockSize }, draw) => {
  const blocks = [known(columns), known(Math.ceil(width / blockSize))];
  return {
    feeds: [
      draw.constants([rows[0]!, known(width)], (i) => ((i * 37) % 64) / 32 - 1),
      draw.bytes([...blocks, known(blockSize)]),
      draw.constants(blocks, (i) => 2 ** -8 * (1 + (i % 3))),
    ],
    build: (_, [x, codes, scales]) => b.linearQ8(x!, codes!, scales!, { blockSize, activations: "f32" }),
  };
});

const softmaxMatmul = samples(
  fc.tuple(axes({ min: 1, max: 2 }), axes({ min: 3, max: 3 }, 10)),
  ([batch, [rows, keys, width]], draw) => ({
    feeds: [draw.floats([...batch, rows!, keys!]), draw.floats([...batch, keys!, width!])],
    build: (_, [scores, v]) => b.softmaxMatmul(scores!, v!),
  }),
);

const heads = fc.record({ rows: small, chunks: small, width: small, vocabulary: fc.integer({ min: 1, max: 7 }) });
const linearCrossEntropy = samples(heads, ({ rows, chunks, width, vocabulary }, draw) => {
  const count = known(rows * chunks);
  return {
    feeds: [
      draw.floats([count, known(width)]),
      draw.floats([known(vocabulary), known(width)]),
      draw.ids([count], vocabulary),
      draw.constants([count], (i) => (i % 3 === 1 ? 0 : 0.25 * (i + 1))),
    ],
    build: (_, [h, w, targets, weights]) => b.linearCrossEntropy(h!, w!, targets!, weights!, chunks),
  };
});

const layerNorm = samples(rank1to3, (shape, draw) => {
  const width = shape.slice(-1);
  return {
    feeds: [draw.floats(shape), draw.floats(width), draw.floats(width)],
    build: (_, [x, w, bias]) => b.layerNorm(x!, w!, bias!, 0.1),
  };
});

const rotary = samples(
  fc.record({ outer: axes({ min: 3, max: 3 }), half: small, shared: fc.boolean(), inverse: fc.boolean() }),
  ({ outer, half, shared, inverse }, draw) => {
    const [batch, head, time] = outer as [Axis, Axis, Axis];
    const table = [known(5), known(half)];
    const angle = (i: number): number => Math.floor(i / half) / (1 + (i % half));
    return {
      feeds: [
        draw.floats([batch, head, time, known(2 * half)]),
        draw.ids([shared ? known(1) : batch, time], 5),
        draw.constants(table, (i) => Math.cos(angle(i))),
        draw.constants(table, (i) => Math.sin(angle(i))),
      ],
      build: (_, [x, positions, cos, sin]) => b.rotary(x!, positions!, cos!, sin!, inverse),
    };
  },
);

/** Merges two neighbouring axes, splits one, or adds one of size 1. */
const reshape = samples(
  fc.tuple(axes({ min: 2, max: 3 }), fc.constantFrom("merge", "split", "one")),
  ([shape, how], draw) => {
    const [first, second, ...rest] = shape as [Axis, Axis, ...Axis[]];
    const to = {
      merge: [product([first.dim, second.dim]), ...dims(rest)],
      split: [first.dim, 2, second.dim, ...dims(rest)],
      one: [first.dim, 1, ...dims([second, ...rest])],
    }[how]!;
    const from = how === "split" ? [{ dim: product([2, first.dim]), size: 2 * first.size }, second, ...rest] : shape;
    // A size that is a product is never read off an input; the plain ones that it is made of are.
    const witness = draw.constants(shape, () => 0);
    return { feeds: [draw.floats(from), witness], build: (_, [x]) => b.reshape(x!, to) };
  },
);

const sliced = fc.tuple(rank1to3, fc.nat(), fc.nat(2), fc.nat(2), small);

export const cases: { readonly [O in Op]: Case } = {
  input: samples(rank0to3, (shape, draw) => ({ feeds: [draw.floats(shape)], build: (_, [x]) => x! })),
  scalar: samples(fc.constantFrom(0, -0.5, 3, 1e-12), (value) => ({
    feeds: [],
    build: (graph) => b.scalar(graph, value),
  })),
  fill: samples(rank0to3, (shape, draw) => ({
    feeds: [draw.constants(shape, () => 0)],
    build: (graph) => b.fill(graph, -1.5, dims(shape)),
  })),
  add: binary(b.add),
  sub: binary(b.sub),
  mul: binary(b.mul),
  div: binary(b.div, { low: 0.5, high: 2 }),
  maximum: comparison(b.maximum),
  less: comparison(b.less),
  select: samples(broadcastable(3), ([condition, left, right], draw) => ({
    feeds: [draw.constants(condition!, (i) => (i % 3) - 1), draw.floats(left!), draw.floats(right!)],
    build: (_, [c, x, y]) => b.select(b.less(c!, 0), x!, y!),
  })),
  neg: unary(b.neg),
  exp: unary(b.exp),
  log: unary(b.log, positive),
  sqrt: unary(b.sqrt, positive),
  tanh: unary(b.tanh, { high: 4 }),
  sigmoid: unary(b.sigmoid, { high: 8 }),
  erf: unary(b.erf),
  silu: unary(b.silu, { high: 8 }),
  geluTanh: samples(rank1to3, (shape, draw) => ({
    feeds: [draw.floats(shape, { high: 5 })],
    build: (_, [x]) => b.geluTanh(x!), // FastGelu takes no tensor of rank 0
  })),
  cast: samples(fc.tuple(rank0to3, fc.constantFrom("i64", "bool", "f32")), ([shape, to], draw) => ({
    feeds: [draw.halves(shape)],
    build: (_, [x]) => b.cast(x!, to as "i64"),
  })),
  matmul,
  linearQ8,
  softmaxMatmul,
  linearCrossEntropy,
  sum: reduction(b.sum),
  mean: reduction(b.mean, true),
  max: reduction(b.max),
  softmax: alongLast(b.softmax),
  logSoftmax: alongLast(b.logSoftmax),
  cumsum: alongLast(b.cumsum),
  argmax: samples(rank1to3, (shape, draw) => ({ feeds: [draw.halves(shape)], build: (_, [x]) => b.argmax(x!) })),
  topk: samples(fc.tuple(axes({ min: 0, max: 2 }), small, fc.nat(3)), ([shape, k, more], draw) => ({
    feeds: [draw.halves([...shape, known(k + more)])],
    build: (_, [x]) => b.topk(x!, k).values,
  })),
  rmsNorm: samples(rank1to3, (shape, draw) => ({
    feeds: [draw.floats(shape), draw.floats(shape.slice(-1))],
    build: (_, [x, w]) => b.rmsNorm(x!, w!, 0.1),
  })),
  layerNorm,
  rotary,
  reshape,
  transpose: samples(fc.tuple(rank1to3, fc.nat()), ([shape, turn], draw) => {
    const forward = shape.map((_, i) => (i + turn) % shape.length);
    return {
      feeds: [draw.floats(shape)],
      build: (_, [x]) => b.transpose(x!, turn % 2 === 0 ? forward : forward.reverse()),
    };
  }),
  broadcast: samples(
    fc.tuple(broadcastable(1), rank0to3, axes({ min: 1, max: 1 }, 10)),
    ([[from], , [extra]], draw) => ({
      feeds: [draw.floats(from!), draw.constants([extra!], () => 0)],
      build: (_, [x]) => b.broadcast(x!, [extra!.dim, ...dims(from!).map((dim) => (dim === 1 ? 2 : dim))]),
    }),
  ),
  slice: samples(sliced, ([shape, pick, before, after, size], draw) => {
    const axis = pick % shape.length;
    const whole = shape.map((one, i) => (i === axis ? known(before + size + after) : one));
    return { feeds: [draw.floats(whole)], build: (_, [x]) => b.slice(x!, axis, before, size) };
  }),
  concat: samples(
    fc.tuple(rank1to3, fc.nat(), fc.array(small, { minLength: 1, maxLength: 3 })),
    ([shape, pick, parts], draw) => {
      const axis = pick % shape.length;
      const feeds = parts.map((size) => draw.floats(shape.map((one, i) => (i === axis ? known(size) : one))));
      // The first part stands at both ends, so that its gradient comes from two places.
      return { feeds, build: (_, values) => b.concat([values[0]!, ...values.slice(1), values[0]!], axis) };
    },
  ),
  split: samples(
    fc.tuple(rank1to3, fc.nat(), small, fc.integer({ min: 2, max: 3 })),
    ([shape, pick, size, parts], draw) => {
      const axis = pick % shape.length;
      const feed = draw.floats(shape.map((one, i) => (i === axis ? known(size * parts) : one)));
      return { feeds: [feed], build: (_, [x]) => b.split(x!, axis, parts)[parts - 1]! };
    },
  ),
  gather: samples(fc.tuple(rank1to3, axes({ min: 0, max: 2 }, 10)), ([table, ids], draw) => ({
    feeds: [draw.floats(table), draw.ids(ids, table[0]!.size)],
    build: (_, [x, i]) => b.gather(x!, i!),
  })),
  scatterAdd: samples(
    fc.tuple(rank1to3, fc.integer({ min: 1, max: 6 }), fc.boolean()),
    ([base, count, named], draw) => {
      const rows: Axis = { dim: named ? "rows" : count, size: count };
      return {
        feeds: [draw.floats(base), draw.ids([rows], base[0]!.size), draw.floats([rows, ...base.slice(1)])],
        build: (_, [x, ids, updates]) => b.scatterAdd(x!, ids!, updates!),
      };
    },
  ),
  pick: samples(axes({ min: 2, max: 2 }), (shape, draw) => ({
    feeds: [draw.floats(shape), draw.ids(shape.slice(0, 1), sizes(shape)[1]!)],
    build: (_, [x, ids]) => b.pick(x!, ids!),
  })),
};
