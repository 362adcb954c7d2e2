/**
 * The reverse-mode rule of every operator: from the gradients of its outputs to those of its inputs, as new nodes.
 * `null` is a decision: nothing flows back. Summing over broadcast axes happens once, in `grad.ts`.
 */
import { invariant, present } from "../util/errors.js";
import * as b from "./build.js";
import { axisOf, product, type Shape } from "./dims.js";
import type { Node, Op, Value } from "./ops.js";

/**
 * Gradients of the inputs, `undefined` where none flows. `dy` is the first output's, and in all operators but those of
 * `carriesMany` the only one.
 */
type Vjp<O extends Op> = (
  node: Node<O>,
  dy: Value,
  all: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/** Operators of several outputs with a gradient each; elsewhere the outputs after the first are statistics. */
export const carriesMany: ReadonlySet<Op> = new Set<Op>(["split"]);

const inputOf = (node: { readonly inputs: readonly Value[] }, i: number): Value =>
  present(node.inputs[i], `input ${i}`);
const outputOf = (node: { readonly outputs: readonly Value[] }, i: number): Value =>
  present(node.outputs[i], `output ${i}`);
const lastAxis = [-1] as const;

/** Puts back the axes that a reduction dropped, then repeats. */
function unreduce(dy: Value, shape: Shape, axes: readonly number[]): Value {
  const gone = new Set(axes.map((axis) => axisOf(axis, shape.length)));
  return b.broadcast(
    b.reshape(
      dy,
      shape.map((dim, i) => (gone.has(i) ? 1 : dim)),
    ),
    shape,
  );
}

/** How many elements one output of a mean stands for; only axes of known size are averaged. */
function meanCount(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => {
    const dim = shape[axisOf(axis, shape.length)];
    invariant(typeof dim === "number", `the gradient of a mean over an axis of size ${dim}: use sum`);
    return count * dim;
  }, 1);
}

/** Sum over all axes but the last: the gradient of a vector that was broadcast over rows. */
const overRows = (x: Value): Value =>
  b.sum(
    x,
    x.type.shape.slice(0, -1).map((_, i) => i),
  );

/** 0 where an id is the given one and 1 elsewhere: ids [N] → [N, 1, ...] of the given rank; exact below 2^24. */
function unlike(ids: Value, id: number, rank: number): Value {
  const [zero, one] = [b.scalar(ids.graph, 0), b.scalar(ids.graph, 1)];
  const numbers = b.cast(ids, "f32");
  const flags = b.select(b.less(numbers, id), one, b.select(b.less(id, numbers), one, zero));
  return b.reshape(flags, [product(ids.type.shape), ...new Array<number>(rank - 1).fill(1)]);
}

export const gradient: { readonly [O in Op]: Vjp<O> | null } = {
  input: null,
  scalar: null,
  fill: null,
  add: (_, dy) => [dy, dy],
  sub: (_, dy) => [dy, b.neg(dy)],
  mul: (node, dy) => [b.mul(dy, inputOf(node, 1)), b.mul(dy, inputOf(node, 0))],
  div: (node, dy) => {
    const byNumerator = b.div(dy, inputOf(node, 1));
    return [byNumerator, b.neg(b.mul(byNumerator, outputOf(node, 0)))];
  },
  maximum: null, // used on statistics only, through which no gradient is wanted
  less: null,
  select: (node, dy) => {
    const zero = b.scalar(dy.graph, 0);
    return [undefined, b.select(inputOf(node, 0), dy, zero), b.select(inputOf(node, 0), zero, dy)];
  },
  neg: (_, dy) => [b.neg(dy)],
  exp: (node, dy) => [b.mul(dy, outputOf(node, 0))],
  log: (node, dy) => [b.div(dy, inputOf(node, 0))],
  sqrt: (node, dy) => [b.div(b.mul(dy, 0.5), outputOf(node, 0))],
  tanh: (node, dy) => {
    const y = outputOf(node, 0);
    return [b.mul(dy, b.sub(1, b.mul(y, y)))];
  },
  sigmoid: (node, dy) => {
    const y = outputOf(node, 0);
    return [b.mul(dy, b.mul(y, b.sub(1, y)))];
  },
  erf: (node, dy) => {
    const x = inputOf(node, 0);
    return [b.mul(dy, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI)))];
  },
  silu: (node, dy) => {
    // d/dx x·s = s + x·s·(1 − s) = s + y·(1 − s)
    const s = b.sigmoid(inputOf(node, 0));
    return [b.mul(dy, b.add(s, b.mul(outputOf(node, 0), b.sub(1, s))))];
  },
  geluTanh: (node, dy) => {
    // y = x·s with s = sigmoid(2u), 2u = x·(c + d·x²), since (1 + tanh u)/2 = sigmoid(2u); y' = s + y·(1 − s)·(c + 3d·x²)
    const x = inputOf(node, 0);
    const c = 2 * Math.sqrt(2 / Math.PI);
    const squared = b.mul(x, b.mul(x, c * 0.044715));
    const s = b.sigmoid(b.mul(x, b.add(squared, c)));
    const slope = b.add(b.mul(squared, 3), c);
    return [b.mul(dy, b.add(s, b.mul(b.mul(outputOf(node, 0), b.sub(1, s)), slope)))];
  },
  cast: null, // between integers, truth values and floats: piecewise constant

  matmul: (node, dy) => {
    // With A' and B' the operands as they are multiplied: dA' = α·dy·B'ᵀ and dB' = α·A'ᵀ·dy; a transposed operand gets the
    // transpose of that, written without a transposition of its own.
    const { transA, transB, alpha } = node.params;
    const [a, w] = [inputOf(node, 0), inputOf(node, 1)];
    return [
      transA ? b.matmul(w, dy, { transA: transB, transB: true, alpha }) : b.matmul(dy, w, { transB: !transB, alpha }),
      transB ? b.matmul(dy, a, { transA: true, transB: transA, alpha }) : b.matmul(a, dy, { transA: !transA, alpha }),
    ];
  },
  linearQ8: null, // weights in 8 bits are for decoding: they are not trained, and nothing below them is
  softmaxMatmul: (node, dy) => {
    // With P the probabilities: dS = P ∘ (dP − Σⱼ P∘dP), and that sum is dy·y of the row: no pass over P for it.
    const [v, y, probabilities] = [inputOf(node, 1), outputOf(node, 0), outputOf(node, 1)];
    const along = b.sum(b.mul(dy, y), lastAxis, true);
    const dp = b.matmul(dy, v, { transB: true });
    return [b.mul(b.sub(dp, along), probabilities), b.matmul(probabilities, dy, { transA: true })];
  },
  linearCrossEntropy: (node, dy) => [b.mul(dy, outputOf(node, 1)), b.mul(dy, outputOf(node, 2)), undefined, undefined],

  sum: (node, dy) => [unreduce(dy, inputOf(node, 0).type.shape, node.params.axes)],
  mean: (node, dy) => {
    const { shape } = inputOf(node, 0).type;
    return [unreduce(b.mul(dy, 1 / meanCount(shape, node.params.axes)), shape, node.params.axes)];
  },
  max: null, // used as a shift that cancels out, through which no gradient is wanted
  softmax: (node, dy) => {
    const y = outputOf(node, 0);
    const weighted = b.mul(dy, y);
    return [b.sub(weighted, b.mul(y, b.sum(weighted, lastAxis, true)))];
  },
  logSoftmax: (node, dy) => [b.sub(dy, b.mul(b.exp(outputOf(node, 0)), b.sum(dy, lastAxis, true)))],
  cumsum: null, // used for sampling only
  argmax: null,
  topk: null, // used for traces only

  rmsNorm: (node, dy) => {
    const [x, weight, reciprocal] = [inputOf(node, 0), inputOf(node, 1), outputOf(node, 1)];
    const normed = b.mul(x, reciprocal);
    const scaled = b.mul(dy, weight);
    const along = b.mean(b.mul(scaled, normed), lastAxis, true);
    return [b.mul(reciprocal, b.sub(scaled, b.mul(normed, along))), overRows(b.mul(dy, normed))];
  },
  layerNorm: (node, dy) => {
    const [x, weight] = [inputOf(node, 0), inputOf(node, 1)];
    const [centre, reciprocal] = [outputOf(node, 1), outputOf(node, 2)];
    const normed = b.mul(b.sub(x, centre), reciprocal);
    const scaled = b.mul(dy, weight);
    const centred = b.sub(scaled, b.mean(scaled, lastAxis, true));
    const along = b.mean(b.mul(scaled, normed), lastAxis, true);
    return [b.mul(reciprocal, b.sub(centred, b.mul(normed, along))), overRows(b.mul(dy, normed)), overRows(dy)];
  },
  rotary: (node, dy) => {
    const [, positions, cos, sin] = node.inputs;
    const turned = b.rotary(
      dy,
      present(positions, "positions"),
      present(cos, "cos"),
      present(sin, "sin"),
      !node.params.inverse,
    );
    return [turned, undefined, undefined, undefined];
  },

  reshape: (node, dy) => [b.reshape(dy, inputOf(node, 0).type.shape)],
  transpose: (node, dy) => [
    b.transpose(
      dy,
      node.params.perm.map((_, axis) => node.params.perm.indexOf(axis)),
    ),
  ],
  broadcast: (_, dy) => [dy],
  slice: (node, dy) => {
    const { axis, start, size } = node.params;
    const { shape } = inputOf(node, 0).type;
    const total = Number(shape[axis]);
    const pad = (length: number): Value[] =>
      length === 0
        ? []
        : [
            b.fill(
              dy.graph,
              0,
              shape.map((dim, i) => (i === axis ? length : dim)),
            ),
          ];
    const [first, ...rest] = [...pad(start), dy, ...pad(total - start - size)];
    return [rest.length === 0 ? dy : b.concat([present(first, "part"), ...rest], axis)];
  },
  concat: (node, dy) => {
    let start = 0;
    return node.inputs.map((value) => {
      const size = Number(value.type.shape[node.params.axis]);
      start += size;
      return b.slice(dy, node.params.axis, start - size, size);
    });
  },
  split: (node, dy, all) => {
    const parts = node.outputs.map((value, i) => all[i] ?? b.fill(dy.graph, 0, value.type.shape));
    return [b.concat([present(parts[0], "part"), ...parts.slice(1)], node.params.axis)];
  },
  gather: (node, dy) => {
    const [table, ids] = [inputOf(node, 0), inputOf(node, 1)];
    const { shape } = table.type;
    const rows = product(ids.type.shape);
    const flat = b.reshape(ids, [rows]);
    const updates = b.reshape(dy, [rows, ...shape.slice(1)]);
    const { untrained } = node.params;
    const kept = untrained === undefined ? updates : b.mul(updates, unlike(flat, untrained, shape.length));
    return [b.scatterAdd(b.fill(dy.graph, 0, shape), flat, kept), undefined];
  },
  scatterAdd: (node, dy) => [dy, undefined, b.gather(dy, inputOf(node, 1))],
  pick: null, // log-probabilities of given tokens: for scoring; training goes through linearCrossEntropy
};
