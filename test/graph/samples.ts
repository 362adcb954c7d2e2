/**
 * Small random calls of operators for the tests: shapes from fast-check, some sizes named, values from a seeded stream and
 * exactly representable in single precision, so that ONNX Runtime and the interpreter are given the very same numbers.
 */
import fc from "fast-check";
import { type Doubles, doubles } from "../../src/graph/interpret-kernels.js";
import type { Dim, DType, Graph, Value } from "../../src/graph/ops.js";
import { type RandomStream, randomStream } from "../../src/util/random.js";

/** A size as the graph knows it (perhaps by name) and as it is in this run. */
export interface Axis {
  readonly dim: Dim;
  readonly size: number;
}

export interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly values: Doubles;
  readonly differentiable: boolean;
}

/** One call of an operator: what is fed, and the operator's first output. */
export interface Sample {
  readonly feeds: readonly Feed[];
  readonly build: (graph: Graph, inputs: readonly Value[]) => Value;
}

export interface Case {
  readonly samples: fc.Arbitrary<Sample>;
}

export const known = (size: number): Axis => ({ dim: size, size });
export const dims = (axes: readonly Axis[]): Dim[] => axes.map((axis) => axis.dim);
export const sizes = (axes: readonly Axis[]): number[] => axes.map((axis) => axis.size);

/** `rank` axes of 1 to 3; axis i is called `Ni` where it is named. */
export function axes(rank: { readonly min: number; readonly max: number }, start = 0): fc.Arbitrary<Axis[]> {
  return fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), { minLength: rank.min, maxLength: rank.max })
    .map((list) => list.map(([size, named], i) => ({ dim: named ? `N${start + i}` : size, size })));
}

/** Shapes that broadcast together: each a suffix of one whole, with some axes 1 instead. */
export function broadcastable(count: number, maxRank = 3): fc.Arbitrary<Axis[][]> {
  const shape = fc.record({
    drop: fc.integer({ min: 0, max: maxRank }),
    ones: fc.array(fc.boolean(), { minLength: maxRank, maxLength: maxRank }),
  });
  return fc
    .tuple(axes({ min: 0, max: maxRank }), fc.array(shape, { minLength: count, maxLength: count }))
    .map(([whole, shapes]) =>
      shapes.map(({ drop, ones }) =>
        whole.map((axis, i) => (ones[i] ? known(1) : axis)).slice(Math.min(drop, whole.length)),
      ),
    );
}

/** Draws the feeds of one sample, named x0, x1, … in order. */
export interface Draw {
  /** Between `low` and `high`, either sign if `signed`. */
  floats(
    axes: readonly Axis[],
    options?: { readonly low?: number; readonly high?: number; readonly signed?: boolean },
  ): Feed;
  /** Multiples of a half between -1 and 1: many ties. */
  halves(axes: readonly Axis[]): Feed;
  /** Floats through which no gradient is asked for. */
  constants(axes: readonly Axis[], value: (i: number) => number): Feed;
  /** i64 in [0, below). */
  ids(axes: readonly Axis[], below: number): Feed;
  /** u8, any. */
  bytes(axes: readonly Axis[]): Feed;
}

/** Samples of one operator: `make` turns drawn parameters into feeds and a call. */
export function samples<P>(
  parameters: fc.Arbitrary<P>,
  make: (parameters: P, draw: Draw) => { readonly feeds: readonly Feed[]; readonly build: Sample["build"] },
): Case {
  return { samples: fc.tuple(parameters, fc.nat()).map(([drawn, seed]) => make(drawn, drawFrom(seed))) };
}

function drawFrom(seed: number): Draw {
  const stream: RandomStream = randomStream(seed, "operator sample");
  let count = 0;
  const feed = (list: readonly Axis[], dtype: DType, differentiable: boolean, value: (i: number) => number): Feed => ({
    name: `x${count++}`,
    dtype,
    axes: list,
    values: doubles(sizes(list), (i) => Math.fround(value(i))),
    differentiable,
  });
  return {
    floats: (list, { low = 0, high = 2, signed = true } = {}) =>
      feed(list, "f32", true, () => {
        const magnitude = low + (high - low) * stream.uniform();
        return signed && stream.uniform() < 0.5 ? -magnitude : magnitude;
      }),
    halves: (list) => feed(list, "f32", true, () => stream.integer(5) / 2 - 1),
    constants: (list, value) => feed(list, "f32", false, value),
    bytes: (list) => feed(list, "u8", false, () => stream.integer(256)),
    ids: (list, below) => feed(list, "i64", false, () => stream.integer(below)),
  };
}
