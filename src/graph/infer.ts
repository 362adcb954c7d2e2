/** Shape and type of every operator's outputs, or an invariant that names the operator and the shapes it was given. */
import { invariant, present } from "../util/errors.js";
import { axisOf, broadcastShapes, type Dim, formatShape, product, quotient, type Shape, sameShape } from "./dims.js";
import type { DType, Op, OpParams, TensorType } from "./ops.js";

type Infer<P> = (inputs: readonly TensorType[], params: P) => readonly TensorType[];

const tensor = (dtype: DType, shape: Shape): TensorType => ({ dtype, shape });
const at = (inputs: readonly TensorType[], i: number): TensorType => present(inputs[i], `input ${i}`);
const last = (shape: Shape): Dim => present(shape.at(-1), "the last axis");

const same: Infer<OpParams["exp"]> = ([x]) => [present(x, "input 0")];
const binary: Infer<OpParams["add"]> = (inputs) => {
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  invariant(a.dtype === b.dtype, `${a.dtype} with ${b.dtype}`);
  return [tensor(a.dtype, broadcastShapes(a.shape, b.shape))];
};

const reduce: Infer<OpParams["sum"]> = (inputs, { axes, keepDims }) => {
  const x = at(inputs, 0);
  const gone = new Set(axes.map((axis) => axisOf(axis, x.shape.length)));
  const shape = keepDims ? x.shape.map((dim, i) => (gone.has(i) ? 1 : dim)) : x.shape.filter((_, i) => !gone.has(i));
  return [tensor(x.dtype, shape)];
};

const matmul: Infer<OpParams["matmul"]> = (inputs, { transA, transB }) => {
  const [a, b] = [at(inputs, 0).shape, at(inputs, 1).shape];
  invariant(a.length >= 2 && b.length >= 2, `matmul of ${formatShape(a)} and ${formatShape(b)}`);
  const [rows, innerA] = transA ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)];
  const [innerB, columns] = transB ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)];
  invariant(innerA === innerB, `matmul of ${formatShape(a)} and ${formatShape(b)}: inner sizes differ`);
  const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2));
  return [tensor("f32", [...batch, present(rows, "rows"), present(columns, "columns")])];
};

const linearQ8: Infer<OpParams["linearQ8"]> = (inputs, { blockSize }) => {
  const [x, codes, scales] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const [rows, width] = x.shape;
  const [columns, blocks] = codes.shape;
  invariant(
    x.shape.length === 2 && codes.dtype === "u8" && codes.shape.length === 3 && codes.shape[2] === blockSize,
    `linearQ8 of ${formatShape(x.shape)} and ${formatShape(codes.shape)}`,
  );
  invariant(
    typeof width === "number" &&
      blocks === Math.ceil(width / blockSize) &&
      sameShape(scales.shape, codes.shape.slice(0, 2)),
    `linearQ8 of ${formatShape(x.shape)}, ${formatShape(codes.shape)} and scales ${formatShape(scales.shape)}`,
  );
  return [tensor("f32", [present(rows, "rows"), present(columns, "columns")])];
};

const softmaxMatmul: Infer<OpParams["softmaxMatmul"]> = (inputs, _) => {
  const [scores, v] = [at(inputs, 0), at(inputs, 1)];
  const batch = scores.shape.slice(0, -2);
  const fits = sameShape(batch, v.shape.slice(0, -2)) && scores.shape.at(-1) === v.shape.at(-2);
  invariant(fits && batch.length > 0, `softmaxMatmul of ${formatShape(scores.shape)} and ${formatShape(v.shape)}`);
  return [tensor("f32", [...scores.shape.slice(0, -1), last(v.shape)]), scores];
};

const linearCrossEntropy: Infer<OpParams["linearCrossEntropy"]> = (inputs, { chunks }) => {
  const [h, w, targets, weights] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  invariant(
    h.shape.length === 2 && w.shape.length === 2 && h.shape[1] === w.shape[1],
    "linearCrossEntropy: h [R,D], W [V,D]",
  );
  invariant(
    sameShape(targets.shape, [present(h.shape[0], "R")]) && targets.dtype === "i64",
    "linearCrossEntropy: targets i64 [R]",
  );
  invariant(sameShape(weights.shape, targets.shape), "linearCrossEntropy: weights [R]");
  quotient(present(h.shape[0], "R"), chunks);
  return [tensor("f32", []), h, w];
};

const norm = (inputs: readonly TensorType[], parameters: number): { x: TensorType; statistic: TensorType } => {
  const x = at(inputs, 0);
  for (let i = 1; i <= parameters; i++) {
    invariant(sameShape(at(inputs, i).shape, [last(x.shape)]), `norm parameter ${formatShape(at(inputs, i).shape)}`);
  }
  return { x, statistic: tensor("f32", [...x.shape.slice(0, -1), 1]) };
};

const rotary: Infer<OpParams["rotary"]> = (inputs) => {
  const [x, positions, cos, sin] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)];
  invariant(x.shape.length === 4, `rotary of ${formatShape(x.shape)}`);
  const [batch, time] = positions.shape;
  invariant(
    (batch === 1 || batch === x.shape[0]) && time === x.shape[2],
    `rotary positions ${formatShape(positions.shape)}`,
  );
  invariant(cos.shape[1] === quotient(last(x.shape), 2) && sameShape(cos.shape, sin.shape), "rotary tables [P, hd/2]");
  return [x];
};

export const infer: { readonly [O in Op]: Infer<OpParams[O]> } = {
  input: (_, { type }) => [type],
  scalar: () => [tensor("f32", [])],
  fill: (_, { shape }) => [tensor("f32", shape)],
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  maximum: binary,
  less: (inputs) => [tensor("bool", broadcastShapes(at(inputs, 0).shape, at(inputs, 1).shape))],
  select: (inputs) => {
    const [condition, a, b] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    invariant(condition.dtype === "bool", "select needs a bool condition");
    return [tensor(a.dtype, broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape)))];
  },
  neg: same,
  exp: same,
  log: same,
  sqrt: same,
  tanh: same,
  sigmoid: same,
  erf: same,
  silu: same,
  geluTanh: same,
  cast: (inputs, { to }) => [tensor(to, at(inputs, 0).shape)],
  matmul,
  linearQ8,
  softmaxMatmul,
  linearCrossEntropy,
  sum: reduce,
  mean: reduce,
  max: reduce,
  softmax: same,
  logSoftmax: same,
  cumsum: same,
  argmax: (inputs) => [tensor("i64", at(inputs, 0).shape.slice(0, -1))],
  topk: (inputs, { k }) => {
    const x = at(inputs, 0);
    const shape = [...x.shape.slice(0, -1), k];
    return [tensor(x.dtype, shape), tensor("i64", shape)];
  },
  rmsNorm: (inputs) => {
    const { x, statistic } = norm(inputs, 1);
    return [x, statistic];
  },
  layerNorm: (inputs) => {
    const { x, statistic } = norm(inputs, 2);
    return [x, statistic, statistic];
  },
  rotary,
  reshape: (inputs, { shape }) => {
    const x = at(inputs, 0);
    invariant(product(x.shape) === product(shape), `reshape of ${formatShape(x.shape)} to ${formatShape(shape)}`);
    return [tensor(x.dtype, shape)];
  },
  transpose: (inputs, { perm }) => {
    const x = at(inputs, 0);
    invariant([...perm].sort((a, b) => a - b).join() === x.shape.map((_, i) => i).join(), `transpose by ${perm}`);
    return [
      tensor(
        x.dtype,
        perm.map((axis) => present(x.shape[axis], "axis")),
      ),
    ];
  },
  broadcast: (inputs, { shape }) => {
    const x = at(inputs, 0);
    invariant(
      sameShape(broadcastShapes(x.shape, shape), shape),
      `broadcast of ${formatShape(x.shape)} to ${formatShape(shape)}`,
    );
    return [tensor(x.dtype, shape)];
  },
  slice: (inputs, { axis, start, size }) => {
    const x = at(inputs, 0);
    const length = present(x.shape[axis], "the sliced axis");
    invariant(
      typeof length === "number" && start >= 0 && size > 0 && start + size <= length,
      `slice ${start}+${size} of ${length}`,
    );
    return [
      tensor(
        x.dtype,
        x.shape.map((dim, i) => (i === axis ? size : dim)),
      ),
    ];
  },
  concat: (inputs, { axis }) => {
    const first = at(inputs, 0);
    let total = 0;
    for (const x of inputs) {
      const length = x.shape[axis];
      invariant(typeof length === "number", "concat joins axes of known size");
      invariant(
        x.shape.every((dim, i) => i === axis || dim === first.shape[i]),
        `concat of ${formatShape(x.shape)}`,
      );
      total += length;
    }
    return [
      tensor(
        first.dtype,
        first.shape.map((dim, i) => (i === axis ? total : dim)),
      ),
    ];
  },
  split: (inputs, { axis, parts }) => {
    const x = at(inputs, 0);
    const length = x.shape[axis];
    invariant(typeof length === "number", "split cuts axes of known size");
    const shape = x.shape.map((dim, i) => (i === axis ? quotient(length, parts) : dim));
    return Array.from({ length: parts }, () => tensor(x.dtype, shape));
  },
  gather: (inputs) => {
    const [table, ids] = [at(inputs, 0), at(inputs, 1)];
    invariant(ids.dtype === "i64", "gather needs i64 ids");
    return [tensor(table.dtype, [...ids.shape, ...table.shape.slice(1)])];
  },
  scatterAdd: (inputs) => {
    const [base, ids, updates] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    invariant(
      ids.shape.length === 1 && sameShape(updates.shape, [...ids.shape, ...base.shape.slice(1)]),
      "scatterAdd shapes",
    );
    return [base];
  },
  pick: (inputs) => {
    const [x, ids] = [at(inputs, 0), at(inputs, 1)];
    invariant(x.shape.length === 2 && sameShape(ids.shape, x.shape.slice(0, 1)), "pick: x [N,V], ids [N]");
    return [tensor(x.dtype, ids.shape)];
  },
};
