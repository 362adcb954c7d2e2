import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  argmax,
  broadcast,
  concat,
  createGraph,
  gather,
  input,
  less,
  linearCrossEntropy,
  matmul,
  neg,
  pick,
  reshape,
  rmsNorm,
  rotary,
  scatterAdd,
  select,
  slice,
  sum,
  transpose,
} from "./build.js";
import { checkGraph } from "./check.js";
import type { Graph, Node, TensorType, Value } from "./ops.js";

function sound(): { graph: Graph; x: Value; y: Value } {
  const graph = createGraph();
  const x = input(graph, "x", "f32", ["B", 3]);
  return { graph, x, y: neg(add(x, 1)) };
}

/** The graph with its last node replaced. */
function broken(change: (node: Node, y: Value) => Node): Graph {
  const { graph, y } = sound();
  graph.nodes.push(change(graph.nodes.pop()!, y));
  return graph;
}
const retyped = (value: Value, type: Partial<TensorType>): Value => ({ ...value, type: { ...value.type, ...type } });

describe("checkGraph", () => {
  it("accepts what the builders make", () => {
    expect(() => checkGraph(sound().graph)).not.toThrow();
  });
  it("refuses values of another graph, values made later, and types that the inputs do not give", () => {
    const other = sound();
    expect(() => checkGraph(broken((node) => ({ ...node, inputs: [other.x] })))).toThrow(
      "neg uses %0 of another graph",
    );
    expect(() => checkGraph(broken((node, y) => ({ ...node, inputs: [y] })))).toThrow("neg uses %3 before it is made");
    const shape = broken((node, y) => ({ ...node, outputs: [retyped(y, { shape: ["B", 4] })] }));
    expect(() => checkGraph(shape)).toThrow("%3 = neg: f32[B,4] is not what its inputs give");
    const dtype = broken((node, y) => ({ ...node, outputs: [retyped(y, { dtype: "i64" })] }));
    expect(() => checkGraph(dtype)).toThrow("%3 = neg: i64[B,3]");
    expect(() => checkGraph(broken((node) => ({ ...node, outputs: [] })))).toThrow("neg: 0 outputs, 1 expected");
    expect(() => checkGraph(broken((node) => ({ ...node, inputs: [] })))).toThrow("input 0 is missing");
  });
  it("refuses nodes out of order", () => {
    const { graph } = sound();
    graph.nodes.reverse();
    expect(() => checkGraph(graph)).toThrow("before it is made");
  });
});

describe("a call with shapes that do not fit is refused where it is written:", () => {
  const graph = createGraph();
  const x = input(graph, "x", "f32", ["B", 3]);
  const square = input(graph, "square", "f32", [3, 3]);
  const ids = input(graph, "ids", "i64", ["B"]);
  const heads = input(graph, "heads", "f32", ["B", 2, "T", 4]);
  const positions = input(graph, "positions", "i64", ["B", "T"]);
  const table = input(graph, "table", "f32", ["P", 2]);
  const calls: Record<string, () => unknown> = {
    "add of two names": () => add(x, input(graph, "other", "f32", ["C", 3])),
    "add of two types": () => add(ids, x),
    "matmul of different inner sizes": () => matmul(x, x),
    "matmul of a vector": () => matmul(sum(x, [0]), square),
    "select by floats": () => select(x, x, x),
    "reshape to another size": () => reshape(x, ["B", 4]),
    "transpose by no permutation": () => transpose(x, [0, 0]),
    "broadcast to something smaller": () => broadcast(square, [3]),
    "slice of a named axis": () => slice(x, 0, 0, 1),
    "slice past the end": () => slice(x, 1, 2, 2),
    "slice of nothing": () => slice(x, 1, 2, 0),
    "concat along a named axis": () => concat([x, x], 0),
    "concat of different widths": () => concat([square, slice(square, 1, 0, 2)], 0),
    "gather by floats": () => gather(x, x),
    "scatterAdd of other rows": () => scatterAdd(square, ids, square),
    "pick with too few ids": () => pick(square, ids),
    "rmsNorm with another width": () => rmsNorm(x, sum(heads, [0, 1, 2]), 1e-6),
    "rotary with the wrong table": () => rotary(heads, positions, square, square),
    "linearCrossEntropy in chunks that do not divide": () =>
      linearCrossEntropy(square, square, argmax(square), sum(square, [0]), 2),
    "linearCrossEntropy with float targets": () =>
      linearCrossEntropy(square, square, sum(square, [0]), sum(square, [0]), 1),
    "an axis that there is not": () => sum(x, [2]),
    "two inputs of one name": () => input(graph, "x", "f32", [1]),
    "an operator without its inputs": () => apply(graph, "add", {}, [x]),
  };
  it.each(Object.keys(calls))("%s", (name) => {
    expect(calls[name]).toThrow(/^internal: /);
  });
  it("while those that fit are accepted", () => {
    expect(select(less(x, 0), x, neg(x)).type.shape).toEqual(["B", 3]);
    expect(rotary(heads, positions, table, table).type).toEqual(heads.type);
    expect(gather(square, ids).type.shape).toEqual(["B", 3]);
  });
});
