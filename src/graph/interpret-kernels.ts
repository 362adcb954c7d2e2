/**
 * Operators of the interpreter that take more than a line, in double precision, one element at a time.
 * May not know: graphs.
 */
import { present } from "../util/errors.js";
import { axisOf, broadcastShapes } from "./dims.js";
import type { OpParams, Shape } from "./ops.js";

/** A tensor of doubles (integers and truth values too), row-major. */
export interface Doubles {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export type Interpret<P> = (
  inputs: readonly Doubles[],
  params: P,
  concrete: (shape: Shape) => readonly number[],
) => readonly Doubles[];

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const at = (inputs: readonly Doubles[], i: number): Doubles => present(inputs[i], `input ${i}`);

export function doubles(shape: readonly number[], value: (i: number) => number): Doubles {
  return { shape, data: Float64Array.from({ length: size(shape) }, (_, i) => value(i)) };
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** The coordinates of flat position `i`. */
export function coordinates(i: number, shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(i / stride) % shape[axis]!);
}

/** The element of `x` that stands at `at` after broadcasting. */
export function element(x: Doubles, place: readonly number[]): number {
  const strides = stridesOf(x.shape);
  const extra = place.length - x.shape.length;
  return x.data[x.shape.reduce((flat, dim, i) => flat + (dim === 1 ? 0 : place[i + extra]!) * strides[i]!, 0)]!;
}

export const map =
  (f: (x: number) => number): Interpret<unknown> =>
  (inputs) => [{ shape: at(inputs, 0).shape, data: at(inputs, 0).data.map((x) => f(x)) }];

export const zip =
  (f: (...xs: number[]) => number): Interpret<unknown> =>
  (inputs) => {
    const shape = inputs.map((x) => x.shape as Shape).reduce(broadcastShapes) as readonly number[];
    return [doubles(shape, (i) => f(...inputs.map((x) => element(x, coordinates(i, shape)))))];
  };

/** Applies `f` to every row along the last axis. */
export const rows =
  (f: (row: Float64Array) => ArrayLike<number>): Interpret<unknown> =>
  (inputs) => {
    const x = at(inputs, 0);
    const width = x.shape.at(-1)!;
    const out: number[] = [];
    for (let i = 0; i < x.data.length; i += width) out.push(...Array.from(f(x.data.subarray(i, i + width))));
    const made = out.length / (x.data.length / width);
    return [doubles(made === width ? x.shape : [...x.shape.slice(0, -1), made], (i) => out[i]!)];
  };

export const reduce =
  (f: (values: readonly number[]) => number): Interpret<OpParams["sum"]> =>
  (inputs, { axes, keepDims }) => {
    const x = at(inputs, 0);
    const gone = new Set(axes.map((axis) => axisOf(axis, x.shape.length)));
    const kept = x.shape.map((dim, i) => (gone.has(i) ? 1 : dim));
    const groups = Array.from({ length: size(kept) }, () => [] as number[]);
    const strides = stridesOf(kept);
    x.data.forEach((value, i) => {
      const place = coordinates(i, x.shape).map((c, axis) => (gone.has(axis) ? 0 : c));
      groups[place.reduce((flat, c, axis) => flat + c * strides[axis]!, 0)]!.push(value);
    });
    const shape = keepDims ? kept : x.shape.filter((_, i) => !gone.has(i));
    return [doubles(shape, (i) => f(groups[i]!))];
  };

export const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
export const logSumExp = (row: ArrayLike<number>): number => {
  const top = Math.max(...Array.from(row));
  return top + Math.log(total(Array.from(row, (x) => Math.exp(x - top))));
};
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const descending = (row: Float64Array): number[] =>
  Array.from(row.keys()).sort((i, j) => row[j]! - row[i]! || i - j);

export const matmul: Interpret<OpParams["matmul"]> = (inputs, { transA, transB, alpha }) => {
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  const [m, k] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = transB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)) as readonly number[];
  const shape = [...batch, m, n];
  return [
    doubles(shape, (flat) => {
      const place = coordinates(flat, shape);
      const [row, column] = [place.at(-2)!, place.at(-1)!];
      const outer = place.slice(0, -2);
      let dot = 0;
      for (let i = 0; i < k; i++) {
        dot +=
          element(a, [...outer, ...(transA ? [i, row] : [row, i])]) *
          element(b, [...outer, ...(transB ? [column, i] : [i, column])]);
      }
      return alpha * dot;
    }),
  ];
};

export const linearQ8: Interpret<OpParams["linearQ8"]> = (inputs, { blockSize, activations }) => {
  const [x, codes, scales] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const [width, columns, blocks] = [x.shape[1]!, codes.shape[0]!, codes.shape[1]!];
  const rounded = activations === "i8" ? roundedBlocks(x, blockSize) : x.data;
  return [
    doubles([x.shape[0]!, columns], (flat) => {
      const [row, column] = [Math.floor(flat / columns), flat % columns];
      let dot = 0;
      for (let k = 0; k < width; k++) {
        const weight = codes.data[column * blocks * blockSize + k]! - 128;
        dot += rounded[row * width + k]! * weight * scales.data[column * blocks + Math.floor(k / blockSize)]!;
      }
      return dot;
    }),
  ];
};

/** Each block of a row in whole multiples of its largest magnitude / 127. */
function roundedBlocks(x: Doubles, blockSize: number): Float64Array {
  const width = x.shape[1]!;
  const result = x.data.slice();
  for (let row = 0; row < x.shape[0]!; row++) {
    for (let start = 0; start < width; start += blockSize) {
      const block = result.subarray(row * width + start, row * width + Math.min(width, start + blockSize));
      const step = Math.max(...block.map(Math.abs)) / 127;
      if (step > 0)
        block.forEach((value, i) => {
          block[i] = Math.round(value / step) * step;
        });
    }
  }
  return result;
}

export const linearCrossEntropy: Interpret<OpParams["linearCrossEntropy"]> = (inputs) => {
  const [h, w, targets, weights] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  const [count, width, vocabulary] = [h.shape[0]!, h.shape[1]!, w.shape[0]!];
  const dh = new Float64Array(h.data.length);
  const dw = new Float64Array(w.data.length);
  let loss = 0;
  for (let r = 0; r < count; r++) {
    const logits = Array.from({ length: vocabulary }, (_, v) =>
      total(Array.from({ length: width }, (_, d) => h.data[r * width + d]! * w.data[v * width + d]!)),
    );
    const norm = logSumExp(logits);
    loss += weights.data[r]! * (norm - logits[targets.data[r]!]!);
    logits.forEach((logit, v) => {
      const slope = weights.data[r]! * (Math.exp(logit - norm) - (v === targets.data[r] ? 1 : 0));
      for (let d = 0; d < width; d++) {
        dh[r * width + d]! += slope * w.data[v * width + d]!;
        dw[v * width + d]! += slope * h.data[r * width + d]!;
      }
    });
  }
  return [
    { shape: [], data: Float64Array.of(loss) },
    { shape: h.shape, data: dh },
    { shape: w.shape, data: dw },
  ];
};

export const rotary: Interpret<OpParams["rotary"]> = (inputs, { inverse }) => {
  const [x, positions, cos, sin] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  const half = x.shape[3]! / 2;
  return [
    doubles(x.shape, (flat) => {
      const [batch, head, time, lane] = coordinates(flat, x.shape) as [number, number, number, number];
      const row = positions.data[(positions.shape[0] === 1 ? 0 : batch) * positions.shape[1]! + time]!;
      const [c, s] = [
        cos.data[row * half + (lane % half)]!,
        sin.data[row * half + (lane % half)]! * (inverse ? -1 : 1),
      ];
      const partner = element(x, [batch, head, time, lane < half ? lane + half : lane - half]);
      return element(x, [batch, head, time, lane]) * c + (lane < half ? -partner : partner) * s;
    }),
  ];
};

export function normalise(inputs: readonly Doubles[], epsilon: number, centred: boolean): Doubles[] {
  const x = at(inputs, 0);
  const width = x.shape.at(-1)!;
  const shape = [...x.shape.slice(0, -1), 1];
  const means = doubles(shape, (r) => (centred ? total(x.data.subarray(r * width, (r + 1) * width)) / width : 0));
  const reciprocals = doubles(shape, (r) => {
    const row = x.data.subarray(r * width, (r + 1) * width);
    return 1 / Math.sqrt(total(row.map((v) => (v - means.data[r]!) ** 2)) / width + epsilon);
  });
  const y = doubles(x.shape, (i) => {
    const r = Math.floor(i / width);
    const bias = centred ? at(inputs, 2).data[i % width]! : 0;
    return (x.data[i]! - means.data[r]!) * reciprocals.data[r]! * at(inputs, 1).data[i % width]! + bias;
  });
  return centred ? [y, means, reciprocals] : [y, reciprocals];
}
