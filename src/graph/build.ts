/**
 * How a graph is written: one function an operator, on values. `add(x, matmul(h, w))` adds two nodes to the graph of `x`.
 * May not know: gradients, ONNX, models.
 */
import { invariant, present } from "../util/errors.js";
import type { Shape } from "./dims.js";
import { axisOf, product, sameShape } from "./dims.js";
import { infer } from "./infer.js";
import { type DType, type Graph, isOp, type Node, type Op, type OpParams, type Value } from "./ops.js";

export function createGraph(): Graph {
  return { nodes: [], inputs: new Map(), nextId: 0 };
}

/** Appends one node and gives its outputs, typed by `infer`. */
export function apply<O extends Op>(
  graph: Graph,
  op: O,
  params: OpParams[O],
  inputs: readonly Value[],
): readonly Value[] {
  const types = infer[op](
    inputs.map((value) => value.type),
    params,
  );
  const outputs: Value[] = [];
  const node: Node<O> = { op, params, inputs, outputs };
  types.forEach((type, index) => {
    outputs.push({ id: graph.nextId++, graph, type, node: node as Node, index });
  });
  graph.nodes.push(node as Node);
  return outputs;
}

const one = <O extends Op>(op: O, params: OpParams[O], ...inputs: [Value, ...Value[]]): Value =>
  present(apply(inputs[0].graph, op, params, inputs)[0], op);

export function input(graph: Graph, name: string, dtype: DType, shape: Shape): Value {
  invariant(!graph.inputs.has(name), `two inputs are called ${name}`);
  const value = present(apply(graph, "input", { name, type: { dtype, shape } }, [])[0], name);
  graph.inputs.set(name, value);
  return value;
}
export const scalar = (graph: Graph, value: number): Value =>
  present(apply(graph, "scalar", { value }, [])[0], "scalar");
export const fill = (graph: Graph, value: number, shape: Shape): Value =>
  present(apply(graph, "fill", { value, shape }, [])[0], "fill");

type Operand = Value | number;
const operand = (x: Operand, graph: Graph): Value => (typeof x === "number" ? scalar(graph, x) : x);
const pair =
  (op: "add" | "sub" | "mul" | "div" | "maximum" | "less") =>
  (a: Operand, b: Operand): Value => {
    const { graph } = typeof a === "number" ? (b as Value) : a;
    return one(op, {}, operand(a, graph), operand(b, graph));
  };
export const add = pair("add");
export const sub = pair("sub");
export const div = pair("div");
export const maximum = pair("maximum");
export const less = pair("less");
const multiply = pair("mul");
/** A product; multiplying by the constant 1, as the seed of a gradient does, adds no node. */
export function mul(a: Operand, b: Operand): Value {
  if (typeof b !== "number" && isOne(a)) return b;
  if (typeof a !== "number" && isOne(b)) return a;
  return multiply(a, b);
}
const isOne = (x: Operand): boolean =>
  x === 1 || (typeof x !== "number" && isOp(x.node, "scalar") && x.node.params.value === 1);

export const select = (condition: Value, a: Value, b: Value): Value => one("select", {}, condition, a, b);
export const neg = (x: Value): Value => one("neg", {}, x);
export const exp = (x: Value): Value => one("exp", {}, x);
export const log = (x: Value): Value => one("log", {}, x);
export const sqrt = (x: Value): Value => one("sqrt", {}, x);
export const tanh = (x: Value): Value => one("tanh", {}, x);
export const sigmoid = (x: Value): Value => one("sigmoid", {}, x);
export const erf = (x: Value): Value => one("erf", {}, x);
export const silu = (x: Value): Value => one("silu", {}, x);
export const geluTanh = (x: Value): Value => one("geluTanh", {}, x);
/** The exact GELU, x · Φ(x), as BERT has it: written out, since the runtime joins it again. */
export const gelu = (x: Value): Value => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
export const cast = (x: Value, to: DType): Value => one("cast", { to }, x);

export const matmul = (
  a: Value,
  b: Value,
  options: { transA?: boolean; transB?: boolean; alpha?: number } = {},
): Value =>
  one("matmul", { transA: options.transA ?? false, transB: options.transB ?? false, alpha: options.alpha ?? 1 }, a, b);
/** x · Wᵀ with W [out, in], as Hugging Face lays linear layers out. */
export const linear = (x: Value, weight: Value): Value => matmul(x, weight, { transB: true });

/** x · Wᵀ with W in 8 bits, as `quantize` lays it out. */
export const linearQ8 = (x: Value, codes: Value, scales: Value, params: OpParams["linearQ8"]): Value =>
  one("linearQ8", params, x, codes, scales);

/** softmax(scores) · v. */
export const softmaxMatmul = (scores: Value, v: Value): Value => one("softmaxMatmul", {}, scores, v);

export function linearCrossEntropy(h: Value, head: Value, targets: Value, weights: Value, chunks: number): Value {
  return one("linearCrossEntropy", { chunks }, h, head, targets, weights);
}

const reduction =
  (op: "sum" | "mean" | "max") =>
  (x: Value, axes: readonly number[], keepDims = false): Value =>
    one(op, { axes: axes.map((axis) => axisOf(axis, x.type.shape.length)), keepDims }, x);
export const sum = reduction("sum");
export const mean = reduction("mean");
export const max = reduction("max");
export const softmax = (x: Value): Value => one("softmax", {}, x);
export const logSoftmax = (x: Value): Value => one("logSoftmax", {}, x);
export const cumsum = (x: Value): Value => one("cumsum", {}, x);
export const argmax = (x: Value): Value => one("argmax", {}, x);
export function topk(x: Value, k: number): { values: Value; indices: Value } {
  const [values, indices] = apply(x.graph, "topk", { k }, [x]);
  return { values: present(values, "topk"), indices: present(indices, "topk") };
}

export const rmsNorm = (x: Value, weight: Value, epsilon: number): Value => one("rmsNorm", { epsilon }, x, weight);
export const layerNorm = (x: Value, weight: Value, bias: Value, epsilon: number): Value =>
  one("layerNorm", { epsilon }, x, weight, bias);
export const rotary = (x: Value, positions: Value, cos: Value, sin: Value, inverse = false): Value =>
  one("rotary", { inverse }, x, positions, cos, sin);

/** The same values in another shape; the shape that they have already adds no node. */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.type.shape, shape) ? x : one("reshape", { shape: shape.map((dim) => product([dim])) }, x);
export const transpose = (x: Value, perm: readonly number[]): Value => one("transpose", { perm }, x);
export const broadcast = (x: Value, shape: Shape): Value =>
  sameShape(x.type.shape, shape) ? x : one("broadcast", { shape: shape.map((dim) => product([dim])) }, x);
export const slice = (x: Value, axis: number, start: number, size: number): Value =>
  one("slice", { axis: axisOf(axis, x.type.shape.length), start, size }, x);
export const concat = (values: readonly [Value, ...Value[]], axis: number): Value =>
  one("concat", { axis: axisOf(axis, values[0].type.shape.length) }, ...values);
/** `parts` equal parts; one part is the whole and adds no node. */
export const split = (x: Value, axis: number, parts: number): readonly Value[] =>
  parts === 1 ? [x] : apply(x.graph, "split", { axis: axisOf(axis, x.type.shape.length), parts }, [x]);
/** @param untrained  a row that no gradient reaches this way */
export const gather = (table: Value, ids: Value, untrained?: number): Value =>
  one("gather", untrained === undefined ? {} : { untrained }, table, ids);
export const scatterAdd = (base: Value, ids: Value, updates: Value): Value => one("scatterAdd", {}, base, ids, updates);
export const pick = (x: Value, ids: Value): Value => one("pick", {}, x, ids);
