/**
 * How every operator becomes operators of ONNX (opset 18, and ONNX Runtime's contributed `com.microsoft` set where one pass
 * replaces several). Knows operator names and attributes, not bytes: whoever writes them implements `Emitter`.
 *
 * Operators: https://onnx.ai/onnx/operators/ and
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import { present } from "../util/errors.js";
import { product, quotient, type Shape } from "./dims.js";
import type { Node, Op } from "./ops.js";

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

export interface Emitter {
  /** Appends one node and names its outputs; an undefined input is left empty. */
  node(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    options?: { readonly domain?: string; readonly outputs?: number },
  ): readonly [string, ...string[]];
  /** A constant int64 vector. */
  ints(values: readonly number[]): string;
  /** A constant float32 scalar. */
  float(value: number): string;
  /** An int64 vector with the sizes of `shape` in this run. */
  sizes(shape: Shape): string;
}

/** `inputs` are names; `used[i]` says whether output i is wanted. Gives the names of the outputs. */
type Lower<O extends Op> = (
  e: Emitter,
  node: Node<O>,
  inputs: readonly string[],
  used: readonly boolean[],
) => readonly string[];

const MICROSOFT = { domain: "com.microsoft" } as const;
const FIRST = { axis: { int: 0 } } as const;
const LAST = { axis: { int: -1 } } as const;
const ELEMENT_TYPE = { f32: 1, u8: 2, i64: 7, bool: 9 } as const; // TensorProto.DataType

const as =
  (type: string, attributes: Readonly<Record<string, Attribute>> = {}): Lower<Op> =>
  (e, _node, inputs) =>
    e.node(type, inputs, attributes);
const contributed =
  (type: string, attributes: Readonly<Record<string, Attribute>> = {}): Lower<Op> =>
  (e, _node, inputs) =>
    e.node(type, inputs, attributes, MICROSOFT);
const flag = (on: boolean): Attribute => ({ int: on ? 1 : 0 });
/** Over no axes a reduction is the identity; without axes ONNX would reduce them all. */
const reduce =
  (type: string): Lower<"sum" | "mean" | "max"> =>
  (e, node, inputs) => {
    const { axes, keepDims } = node.params;
    if (axes.length === 0) return e.node("Identity", inputs);
    return e.node(type, [...inputs, e.ints(axes)], { keepdims: flag(keepDims) });
  };
const nameAt = (inputs: readonly string[], i: number): string => present(inputs[i], `input ${i}`);
const wanted = (used: readonly boolean[]): number => used.lastIndexOf(true) + 1;

const matmul: Lower<"matmul"> = (e, node, inputs) => {
  const { transA, transB, alpha } = node.params;
  const flat = node.inputs.every((value) => value.type.shape.length === 2);
  const attributes = { transA: flag(transA), transB: flag(transB), alpha: { float: alpha } };
  return flat ? e.node("Gemm", inputs, attributes) : e.node("FusedMatMul", inputs, attributes, MICROSOFT);
};

/** Accuracy level 4 rounds rows to 8 bits and multiplies integers; 0 computes in single precision. */
const linearQ8: Lower<"linearQ8"> = (e, node, inputs) => {
  const { blockSize, activations } = node.params;
  const [width, columns] = [node.inputs[0]?.type.shape[1], node.inputs[1]?.type.shape[0]];
  const attributes = {
    K: { int: Number(width) },
    N: { int: Number(columns) },
    bits: { int: 8 },
    block_size: { int: blockSize },
    accuracy_level: { int: activations === "i8" ? 4 : 0 },
  };
  return e.node("MatMulNBits", inputs, attributes, MICROSOFT);
};

/**
 * Chunk by chunk of rows: logits, log-softmax, and at once the derivatives that follow from it, so that the logits of one
 * chunk are gone before the next begins. A zero taken from all that one chunk's logits lead to is added to the next chunk's
 * input, because ONNX orders nodes by data alone: a product that nothing waits for is left to the end, and its operands with it.
 */
const linearCrossEntropy: Lower<"linearCrossEntropy"> = (e, node, inputs, used) => {
  const [h, w, targets, weights] = [nameAt(inputs, 0), nameAt(inputs, 1), nameAt(inputs, 2), nameAt(inputs, 3)];
  const { chunks } = node.params;
  const [rows, width] = present(node.inputs[0], "h").type.shape as [string | number, string | number];
  const chunk = quotient(rows, chunks);
  const withGradient = used[1] === true || used[2] === true;
  const parts = (name: string, inner: Shape): readonly string[] => {
    if (chunks === 1) return e.node("Reshape", [name, e.sizes([chunk, ...inner])]);
    const split = e.node("Reshape", [name, e.sizes([chunks, chunk, ...inner])]);
    return e
      .node("Split", [...split, e.ints(new Array<number>(chunks).fill(1))], { axis: { int: 0 } }, { outputs: chunks })
      .map((part) => e.node("Reshape", [part, e.sizes([chunk, ...inner])])[0]);
  };
  const [hs, ts, ws] = [parts(h, [width]), parts(targets, [1]), parts(weights, [1])];
  const losses: string[] = [];
  const dhs: string[] = [];
  let dw: string | undefined;
  let done: string | undefined;
  hs.forEach((part, i) => {
    const [target, weight] = [nameAt(ts, i), nameAt(ws, i)];
    const rowsOfChunk = done === undefined ? part : e.node("Add", [part, done])[0];
    const [logits] = e.node("Gemm", [rowsOfChunk, w], { transB: { int: 1 } });
    const [logProbs] = e.node("LogSoftmax", [logits], LAST);
    const [picked] = e.node("GatherElements", [logProbs, target], { axis: { int: 1 } });
    losses.push(e.node("ReduceSum", [e.node("Mul", [picked, weight])[0]], { keepdims: { int: 0 } })[0]);
    let last = [picked];
    if (withGradient) {
      const [probs] = e.node("Exp", [logProbs]);
      const minusOnes = e.node("Expand", [e.float(-1), e.sizes([chunk, 1])])[0];
      const [error] = e.node("ScatterElements", [probs, target, minusOnes], {
        axis: { int: 1 },
        reduction: { string: "add" },
      });
      const [dh] = e.node("Mul", [e.node("Gemm", [error, w])[0], weight]);
      dhs.push(dh);
      const [weighted] = e.node("Mul", [rowsOfChunk, weight]);
      [dw] = e.node("Gemm", dw === undefined ? [error, weighted] : [error, weighted, dw], { transA: { int: 1 } });
      last = [dh, dw];
    }
    const corners = last.map((value) => e.node("Slice", [value, e.ints([0, 0]), e.ints([1, 1])])[0]);
    done = e.node("Mul", [e.node("Sum", corners)[0], e.float(0)])[0];
  });
  const negated = (losses.length === 1 ? losses : e.node("Sum", losses))[0];
  const [loss] = e.node("Neg", [present(negated, "loss")]);
  if (!withGradient) return [loss];
  const dh = dhs.length === 1 ? dhs[0] : e.node("Concat", dhs, { axis: { int: 0 } })[0];
  return [loss, present(dh, "dh"), present(dw, "dw")];
};

const rotary: Lower<"rotary"> = (e, node, inputs) => {
  const [x, positions, cos, sin] = [nameAt(inputs, 0), nameAt(inputs, 1), nameAt(inputs, 2), nameAt(inputs, 3)];
  const [batch, , time] = present(node.inputs[0], "x").type.shape;
  const wantedShape: Shape = [present(batch, "batch"), present(time, "time")];
  const given = present(node.inputs[1], "positions").type.shape;
  const ids = given[0] === wantedShape[0] ? positions : e.node("Expand", [positions, e.sizes(wantedShape)])[0];
  const turn = node.params.inverse ? e.node("Neg", [sin])[0] : sin;
  return e.node("RotaryEmbedding", [x, ids, cos, turn], { interleaved: { int: 0 } }, MICROSOFT);
};

const column = (e: Emitter, ids: string): string => e.node("Unsqueeze", [ids, e.ints([-1])])[0];

/**
 * ScatterND runs its rows in parallel and loses updates where an id is repeated (ONNX Runtime 1.30, two threads: 4,096 ids into
 * 300 rows came out wrong in every second run). So it gets every id once: rows of ids that occur once as they are, and of every
 * repeated id the sum, by a matrix of zeros and ones. ScatterElements would be right too, but takes several times as long.
 */
const scatterAdd: Lower<"scatterAdd"> = (e, node, inputs) => {
  const [base, ids, updates] = [nameAt(inputs, 0), nameAt(inputs, 1), nameAt(inputs, 2)];
  const [count = 1, ...inner] = present(node.inputs[2], "updates").type.shape;
  const rows = inner.length === 1 ? updates : e.node("Reshape", [updates, e.sizes([count, product(inner)])])[0];
  const not = (flags: string): string => e.node("Not", [flags])[0];
  const where = (flags: string, values: string): string => e.node("Compress", [values, flags], FIRST)[0];

  const [distinct, , inverse, counts] = e.node("Unique", [ids], { sorted: { int: 0 } }, { outputs: 4 });
  const isSingle = e.node("Equal", [present(counts, "counts"), e.ints([1])])[0]; // [U]
  const once = e.node("Gather", [isSingle, present(inverse, "inverse")])[0]; // [N]
  const repeated = where(not(isSingle), distinct);
  const isRowOf = e.node("Equal", [column(e, repeated), where(not(once), ids)])[0];
  const sums = e.node("MatMul", [
    e.node("Cast", [isRowOf], { to: { int: ELEMENT_TYPE.f32 } })[0],
    where(not(once), rows),
  ])[0];

  const places = column(e, e.node("Concat", [where(once, ids), repeated], FIRST)[0]);
  const values = e.node("Concat", [where(once, rows), sums], FIRST)[0];
  const shape = (): string => e.node("Concat", [e.ints([-1]), e.sizes(inner)], FIRST)[0];
  const shaped = inner.length === 1 ? values : e.node("Reshape", [values, shape()])[0];
  return e.node("ScatterND", [base, places, shaped], { reduction: { string: "add" } });
};

/** Where only axes of size 1 change places the values stay where they are, and nothing need be copied. */
function onlyOnesMove(shape: Shape, perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? 0));
}

export const lower: { readonly [O in Op]: Lower<O> } = {
  input: (_e, node) => [node.params.name],
  scalar: (e, node) => [e.float(node.params.value)],
  fill: (e, node) => e.node("Expand", [e.float(node.params.value), e.sizes(node.params.shape)]),
  add: as("Add"),
  sub: as("Sub"),
  mul: as("Mul"),
  div: as("Div"),
  maximum: as("Max"),
  less: as("Less"),
  select: as("Where"),
  neg: as("Neg"),
  exp: as("Exp"),
  log: as("Log"),
  sqrt: as("Sqrt"),
  tanh: as("Tanh"),
  sigmoid: as("Sigmoid"),
  erf: as("Erf"),
  silu: contributed("QuickGelu", { alpha: { float: 1 } }),
  geluTanh: contributed("FastGelu"),
  cast: (e, node, inputs) => e.node("Cast", inputs, { to: { int: ELEMENT_TYPE[node.params.to] } }),
  matmul,
  linearQ8,
  softmaxMatmul: (e, _node, inputs) => {
    const [probabilities] = e.node("Softmax", [nameAt(inputs, 0)], LAST);
    return [...e.node("FusedMatMul", [probabilities, nameAt(inputs, 1)], {}, MICROSOFT), probabilities];
  },
  linearCrossEntropy,
  sum: reduce("ReduceSum"),
  mean: reduce("ReduceMean"),
  max: reduce("ReduceMax"),
  softmax: as("Softmax", LAST),
  logSoftmax: as("LogSoftmax", LAST),
  cumsum: (e, _node, inputs) => e.node("CumSum", [...inputs, e.ints([-1])]),
  argmax: as("ArgMax", { ...LAST, keepdims: { int: 0 } }),
  topk: (e, node, inputs) => e.node("TopK", [...inputs, e.ints([node.params.k])], LAST, { outputs: 2 }),
  rmsNorm: (e, node, inputs, used) =>
    e.node(
      "SimplifiedLayerNormalization",
      inputs,
      { ...LAST, epsilon: { float: node.params.epsilon } },
      { outputs: wanted(used) },
    ),
  layerNorm: (e, node, inputs, used) =>
    e.node(
      "LayerNormalization",
      inputs,
      { ...LAST, epsilon: { float: node.params.epsilon } },
      { outputs: wanted(used) },
    ),
  rotary,
  reshape: (e, node, inputs) => e.node("Reshape", [...inputs, e.sizes(node.params.shape)]),
  transpose: (e, node, inputs) => {
    const [from, to] = [present(node.inputs[0], "x").type.shape, present(node.outputs[0], "y").type.shape];
    if (onlyOnesMove(from, node.params.perm)) return e.node("Reshape", [...inputs, e.sizes(to)]);
    return e.node("Transpose", inputs, { perm: { ints: node.params.perm } });
  },
  broadcast: (e, node, inputs) => e.node("Expand", [...inputs, e.sizes(node.params.shape)]),
  slice: (e, node, inputs) => {
    const { axis, start, size } = node.params;
    return e.node("Slice", [...inputs, e.ints([start]), e.ints([start + size]), e.ints([axis])]);
  },
  concat: (e, node, inputs) => e.node("Concat", inputs, { axis: { int: node.params.axis } }),
  split: (e, node, inputs) => {
    const { axis, parts } = node.params;
    const attributes = { axis: { int: axis }, num_outputs: { int: parts } };
    return e.node("Split", inputs, attributes, { outputs: parts });
  },
  gather: as("Gather", { axis: { int: 0 } }),
  scatterAdd,
  pick: (e, node, inputs) => {
    const picked = e.node("GatherElements", [nameAt(inputs, 0), column(e, nameAt(inputs, 1))], { axis: { int: 1 } });
    return e.node("Reshape", [...picked, e.sizes(present(node.inputs[1], "ids").type.shape)]);
  },
};
