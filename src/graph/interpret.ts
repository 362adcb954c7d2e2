/**
 * The slow, obvious judge of everything faster: runs a graph in double precision, one element at a time.
 * May not know: ONNX. Speed does not matter here; being readable and right does.
 */
import { normalCdf } from "../stats/distributions.js";
import { invariant, present } from "../util/errors.js";
import { evaluate, product } from "./dims.js";
import {
  at,
  coordinates,
  type Doubles,
  descending,
  doubles,
  element,
  type Interpret,
  linearCrossEntropy,
  linearQ8,
  logSumExp,
  map,
  matmul,
  normalise,
  reduce,
  rotary,
  rows,
  sigmoid,
  size,
  total,
  zip,
} from "./interpret-kernels.js";
import { liveFor } from "./live.js";
import type { Graph, Op, OpParams, Shape, Value } from "./ops.js";

const interpreters: { readonly [O in Op]: Interpret<OpParams[O]> } = {
  input: () => {
    invariant(false, "inputs are fed");
  },
  scalar: (_, { value }) => [{ shape: [], data: Float64Array.of(value) }],
  fill: (_, { value, shape }, concrete) => [doubles(concrete(shape), () => value)],
  add: zip((a, b) => a! + b!),
  sub: zip((a, b) => a! - b!),
  mul: zip((a, b) => a! * b!),
  div: zip((a, b) => a! / b!),
  maximum: zip((a, b) => Math.max(a!, b!)),
  less: zip((a, b) => (a! < b! ? 1 : 0)),
  select: zip((condition, a, b) => (condition ? a! : b!)),
  neg: map((x) => -x),
  exp: map(Math.exp),
  log: map(Math.log),
  sqrt: map(Math.sqrt),
  tanh: map(Math.tanh),
  sigmoid: map(sigmoid),
  erf: map((x) => 2 * normalCdf(Math.SQRT2 * x) - 1),
  silu: map((x) => x * sigmoid(x)),
  geluTanh: map((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  cast: (inputs, { to }) =>
    map(to === "i64" ? Math.trunc : to === "bool" ? (x) => (x === 0 ? 0 : 1) : (x) => x)(
      inputs,
      {},
      (s) => s as number[],
    ),
  matmul,
  linearQ8,
  softmaxMatmul: ([scores, v], _, concrete) => {
    const probabilities = interpreters.softmax([scores!], {}, concrete)[0]!;
    const product = { transA: false, transB: false, alpha: 1 };
    return [matmul([probabilities, v!], product, concrete)[0]!, probabilities];
  },
  linearCrossEntropy,
  sum: reduce(total),
  mean: reduce((values) => total(values) / values.length),
  max: reduce((values) => Math.max(...values)),
  softmax: rows((row) => row.map((x) => Math.exp(x - logSumExp(row)))),
  logSoftmax: rows((row) => row.map((x) => x - logSumExp(row))),
  cumsum: rows((row) => row.map((_, i) => total(row.subarray(0, i + 1)))),
  argmax: (inputs) => {
    const x = at(inputs, 0);
    const width = x.shape.at(-1)!;
    return [doubles(x.shape.slice(0, -1), (r) => descending(x.data.subarray(r * width, (r + 1) * width))[0]!)];
  },
  topk: (inputs, { k }, concrete) => [
    ...rows((row) =>
      descending(row)
        .slice(0, k)
        .map((i) => row[i]!),
    )(inputs, {}, concrete),
    ...rows((row) => descending(row).slice(0, k))(inputs, {}, concrete),
  ],
  rmsNorm: (inputs, { epsilon }) => normalise(inputs, epsilon, false),
  layerNorm: (inputs, { epsilon }) => normalise(inputs, epsilon, true),
  rotary,
  reshape: (inputs, { shape }, concrete) => [{ shape: concrete(shape), data: at(inputs, 0).data }],
  transpose: (inputs, { perm }) => {
    const x = at(inputs, 0);
    const shape = perm.map((axis) => x.shape[axis]!);
    return [
      doubles(shape, (i) => {
        const place = coordinates(i, shape);
        return element(
          x,
          x.shape.map((_, axis) => place[perm.indexOf(axis)]!),
        );
      }),
    ];
  },
  broadcast: (inputs, { shape }, concrete) => {
    const target = concrete(shape);
    return [doubles(target, (i) => element(at(inputs, 0), coordinates(i, target)))];
  },
  slice: (inputs, { axis, start, size: length }) => {
    const x = at(inputs, 0);
    const shape = x.shape.map((dim, i) => (i === axis ? length : dim));
    return [
      doubles(shape, (i) =>
        element(
          x,
          coordinates(i, shape).map((c, a) => (a === axis ? c + start : c)),
        ),
      ),
    ];
  },
  concat: (inputs, { axis }) => {
    const shape = at(inputs, 0).shape.map((dim, i) => (i === axis ? total(inputs.map((x) => x.shape[axis]!)) : dim));
    return [
      doubles(shape, (i) => {
        const place = coordinates(i, shape);
        for (const x of inputs) {
          if (place[axis]! < x.shape[axis]!) return element(x, place);
          place[axis]! -= x.shape[axis]!;
        }
        invariant(false, "a place beyond all parts");
      }),
    ];
  },
  split: ([x], { axis, parts }, concrete) => {
    const length = x!.shape[axis]! / parts;
    return Array.from(
      { length: parts },
      (_, i) => interpreters.slice([x!], { axis, start: i * length, size: length }, concrete)[0]!,
    );
  },
  gather: (inputs) => {
    const [table, ids] = [at(inputs, 0), at(inputs, 1)];
    const width = size(table.shape.slice(1));
    return [
      doubles(
        [...ids.shape, ...table.shape.slice(1)],
        (i) => table.data[ids.data[Math.floor(i / width)]! * width + (i % width)]!,
      ),
    ];
  },
  scatterAdd: (inputs) => {
    const [base, ids, updates] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    const width = size(base.shape.slice(1));
    const data = base.data.slice();
    updates.data.forEach((value, i) => {
      data[ids.data[Math.floor(i / width)]! * width + (i % width)]! += value;
    });
    return [{ shape: base.shape, data }];
  },
  pick: (inputs) => {
    const [x, ids] = [at(inputs, 0), at(inputs, 1)];
    return [doubles(ids.shape, (r) => x.data[r * x.shape[1]! + ids.data[r]!]!)];
  },
};

/** The values of `outputs` for these inputs; named sizes are read off the fed shapes. */
export function interpret(
  graph: Graph,
  feeds: ReadonlyMap<string, Doubles>,
  outputs: readonly Value[],
): readonly Doubles[] {
  const bindings = new Map<string, number>();
  const values = new Map<Value, Doubles>();
  for (const [name, value] of graph.inputs) {
    const fed = feeds.get(name);
    if (fed === undefined) continue;
    value.type.shape.forEach((dim, i) => {
      if (typeof dim === "string" && !dim.includes("*")) bindings.set(dim, fed.shape[i]!);
    });
    values.set(value, fed);
  }
  const concrete = (shape: Shape): number[] => shape.map((dim) => evaluate(dim, bindings));
  for (const node of liveFor(graph, outputs).nodes) {
    if (node.op === "input") continue;
    const inputs = node.inputs.map((value) => present(values.get(value), `%${value.id}`));
    const run = interpreters[node.op] as Interpret<OpParams[Op]>;
    const results = run(inputs, node.params, concrete);
    node.outputs.forEach((value, i) => {
      const result = present(results[i], `${node.op} output ${i}`);
      invariant(size(result.shape) === Number(product(concrete(value.type.shape))), `${node.op} gave ${result.shape}`);
      values.set(value, result);
    });
  }
  return outputs.map((value) => present(values.get(value), `%${value.id}`));
}
