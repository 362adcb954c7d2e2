import { describe, expect, it } from "vitest";
import {
  add,
  apply,
  argmax,
  broadcast,
  cast,
  createGraph,
  cumsum,
  exp,
  gather,
  input,
  less,
  linear,
  linearCrossEntropy,
  linearQ8,
  matmul,
  max,
  maximum,
  mean,
  mul,
  neg,
  pick,
  select,
  sum,
  topk,
} from "./build.js";
import { checkGraph } from "./check.js";
import { grad } from "./grad.js";
import { gradient } from "./gradient.js";
import { interpret } from "./interpret.js";
import { type Doubles, doubles } from "./interpret-kernels.js";
import { liveFor } from "./live.js";
import type { Graph, Op, Value } from "./ops.js";
import { printGraph } from "./print.js";

const everything = (value: Value): Value =>
  sum(
    value,
    value.type.shape.map((_, i) => i),
  );
const opsOf = (graph: Graph, outputs: readonly Value[]): Op[] => liveFor(graph, outputs).nodes.map((node) => node.op);
const numbers = (shape: readonly number[], ...values: number[]): Doubles => doubles(shape, (i) => values[i]!);
const run = (graph: Graph, feeds: Record<string, Doubles>, outputs: readonly Value[]): number[][] => {
  checkGraph(graph);
  return interpret(graph, new Map(Object.entries(feeds)), outputs).map(({ data }) => Array.from(data));
};

describe("the gradient of a matrix product", () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("holds only products of the same size (transA %s, transB %s)", (transA, transB) => {
    const graph = createGraph();
    const a = input(graph, "a", "f32", transA ? [5, 2] : [2, 5]);
    const b = input(graph, "b", "f32", transB ? [3, 5] : [5, 3]);
    const dy = input(graph, "dy", "f32", [2, 3]);
    const loss = everything(mul(matmul(a, b, { transA, transB, alpha: 0.5 }), dy));
    const gradients = grad(loss, [a, b]);
    const nodes = liveFor(graph, gradients).nodes.filter((node) => node.op !== "input");
    // d sum = dy spread out from 1; after that nothing but one product each.
    const products = nodes.filter((node) => node.op === "matmul");
    expect(products.flatMap((node) => node.outputs.map((value) => value.type.shape))).toEqual(
      expect.arrayContaining([a.type.shape, b.type.shape]),
    );
    expect(products.length).toBe(2);
    expect(nodes.map((node) => node.op)).not.toContain("transpose");
    const widest = Math.max(...nodes.flatMap((node) => node.outputs.map(({ type }) => type.shape.length)));
    expect(widest).toBe(2); // never [M, K, N]
  });

  it("of a linear layer prints as two products", () => {
    const graph = createGraph();
    const [x, w] = [input(graph, "x", "f32", ["N", 4]), input(graph, "w", "f32", [3, 4])];
    const gradients = grad(everything(linear(x, w)), [x, w]);
    expect(printGraph(graph, gradients)).toMatchInlineSnapshot(`
      "%0: f32[N,4] = input() name="x" type={"dtype":"f32","shape":["N",4]}
      %1: f32[3,4] = input() name="w" type={"dtype":"f32","shape":[3,4]}
      %2: f32[] = scalar() value=1
      %3: f32[1,1] = reshape(%2) shape=[1,1]
      %4: f32[N,3] = broadcast(%3) shape=["N",3]
      %5: f32[N,4] = matmul(%4, %1) transA=false transB=false alpha=1
      %6: f32[3,4] = matmul(%4, %0) transA=true transB=false alpha=1
      return %5, %6"
    `);
  });
});

describe("uses of one value", () => {
  it("add up", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [2]);
    const loss = everything(add(mul(x, x), mul(x, 3))); // x² + 3x
    const [dx] = grad(loss, [x]);
    expect(run(graph, { x: numbers([2], 1, -2) }, [dx!])).toEqual([[5, -1]]);
  });

  it("are summed over the axes along which it was repeated", () => {
    const graph = createGraph();
    const [x, row, one] = [["B", 3], [1, 3], [] as number[]].map((shape, i) => input(graph, `x${i}`, "f32", shape)) as [
      Value,
      Value,
      Value,
    ];
    const y = add(mul(x, row), broadcast(one, [2, "B", 3]));
    const gradients = grad(everything(y), [x, row, one]);
    expect(gradients.map((value) => value.type.shape)).toEqual([["B", 3], [1, 3], []]);
    const feeds = { x0: numbers([2, 3], 1, 2, 3, 4, 5, 6), x1: numbers([1, 3], 1, 10, 100), x2: numbers([], 7) };
    expect(run(graph, feeds, gradients)).toEqual([[2, 20, 200, 2, 20, 200], [10, 14, 18], [12]]);
  });

  it("begin from a running total where one is given", () => {
    const graph = createGraph();
    const [x, y] = [input(graph, "x", "f32", [2]), input(graph, "y", "f32", [2])];
    const total = input(graph, "total", "f32", [2]);
    const [dx, dy] = grad(everything(mul(x, y)), [x, y], [total]);
    const feeds = { x: numbers([2], 1, 2), y: numbers([2], 3, 4), total: numbers([2], 100, 200) };
    expect(run(graph, feeds, [dx!, dy!])).toEqual([
      [103, 204],
      [1, 2],
    ]);
  });
});

describe("a table that is both embedding and head", () => {
  const tied = (): { graph: Graph; table: Value; total: Value; loss: Value } => {
    const graph = createGraph();
    const table = input(graph, "table", "f32", [1000, 8]);
    const total = input(graph, "total", "f32", [1000, 8]);
    const [ids, targets] = [input(graph, "ids", "i64", ["N"]), input(graph, "targets", "i64", ["N"])];
    const weights = input(graph, "weights", "f32", ["N"]);
    return { graph, table, total, loss: linearCrossEntropy(exp(gather(table, ids)), table, targets, weights, 1) };
  };
  const isTable = (value: Value): boolean => value.type.shape[0] === 1000;

  it("gets its rows scattered straight into the gradient of the head: no zeros of its size", () => {
    const { graph, table, loss } = tied();
    const [gradientOfTable] = grad(loss, [table]);
    const ops = opsOf(graph, [gradientOfTable!]);
    expect(ops).not.toContain("fill");
    expect(gradientOfTable!.node.op).toBe("scatterAdd");
    expect(gradientOfTable!.node.inputs[0]!.node.op).toBe("linearCrossEntropy");
  });

  it("is added to a running total with two passes over the table", () => {
    const { graph, table, total, loss } = tied();
    const [gradientOfTable] = grad(loss, [table], [total]);
    const made = liveFor(graph, [gradientOfTable!]).nodes.filter(
      (node) => node.op !== "input" && node.op !== "linearCrossEntropy" && node.outputs.some(isTable),
    );
    expect(made.map((node) => node.op)).toEqual(["add", "scatterAdd"]);
    expect(made[0]!.inputs[0]).toBe(total);
  });

  it("has both parts in it", () => {
    const graph = createGraph();
    const table = input(graph, "table", "f32", [3, 2]);
    const ids = input(graph, "ids", "i64", [2]);
    const loss = everything(matmul(gather(table, ids), table, { transB: true })); // Σ over used rows r and all rows s of r·s
    const [dTable] = grad(loss, [table]);
    const feeds = { table: numbers([3, 2], 1, 0, 0, 1, 2, 2), ids: numbers([2], 2, 2) };
    // Used rows sum to [4,4], which every row gets; row 2 gets the sum of all rows, [3,3], once for each use.
    expect(run(graph, feeds, [dTable!])).toEqual([[4, 4, 4, 4, 10, 10]]);
  });

  it("lets no gradient reach an untrained row where it is read, and all of it elsewhere", () => {
    const graph = createGraph();
    const table = input(graph, "table", "f32", [3, 2]);
    const ids = input(graph, "ids", "i64", ["N"]);
    const loss = everything(mul(gather(table, ids, 2), gather(table, ids)));
    const feeds = { table: numbers([3, 2], 1, 1, 1, 1, 1, 1), ids: numbers([3], 2, 0, 2) };
    expect(run(graph, feeds, grad(loss, [table]))).toEqual([[2, 2, 0, 0, 2, 2]]);
  });
});

describe("targets", () => {
  it("on which the loss does not depend are an error, also where a running total is given", () => {
    const graph = createGraph();
    const [x, y] = [input(graph, "x", "f32", [2]), input(graph, "y", "f32", [2])];
    const total = input(graph, "total", "f32", [2]);
    const loss = everything(exp(x));
    expect(() => grad(loss, [x, y])).toThrow("internal: the loss does not depend on %1");
    expect(() => grad(loss, [x, y], [undefined, total])).toThrow("internal: the loss does not depend on %1");
  });

  it("in the middle end the walk: what they are made of gets the rest only", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [1]);
    const middle = mul(x, 2);
    const loss = everything(add(mul(middle, middle), mul(x, 5)));
    const gradients = grad(loss, [middle, x]);
    expect(run(graph, { x: numbers([1], 3) }, gradients)).toEqual([[12], [5]]);
  });

  it("need a loss that is one float", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [2]);
    expect(() => grad(exp(x), [x])).toThrow("internal: the loss is f32[2]");
    expect(() => grad(sum(cast(x, "i64"), [0]), [x])).toThrow("internal: the loss is i64[]");
  });
});

describe("an operator without a gradient, between the loss and a parameter, is an error:", () => {
  const withoutGradient = {
    maximum: (x) => maximum(x, 0),
    less: (x) => cast(less(x, 0), "f32"),
    cast: (x) => cast(x, "f32"),
    max: (x) => max(x, [1]),
    cumsum: (x) => cumsum(x),
    argmax: (x) => cast(argmax(x), "f32"),
    topk: (x) => topk(x, 2).values,
    pick: (x) => pick(x, argmax(x)),
    linearQ8: (x) => {
      const [codes, scales] = [input(x.graph, "codes", "u8", [2, 1, 16]), input(x.graph, "scales", "f32", [2, 1])];
      return linearQ8(x, codes, scales, { blockSize: 16, activations: "f32" });
    },
  } satisfies Partial<Record<Op, (x: Value) => Value>>;

  it("these are all of them", () => {
    const leaves: Op[] = ["input", "scalar", "fill"];
    const named = [...Object.keys(withoutGradient), ...leaves].sort();
    expect((Object.keys(gradient) as Op[]).filter((op) => gradient[op] === null).sort()).toEqual(named);
  });
  it.each(Object.entries(withoutGradient))("%s", (op, call) => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [3, 4]);
    const reason = op === "less" || op === "argmax" ? "cast" : op; // what they give is no float before it is cast
    expect(() => grad(everything(call(x)), [x])).toThrow(`internal: ${reason} has no gradient`);
  });
  it("but not beside them: a choice by what is less carries gradient to what is chosen", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [2]);
    const [dx] = grad(everything(select(less(x, 0), neg(x), mul(x, 3))), [x]);
    expect(run(graph, { x: numbers([2], -2, 2) }, [dx!])).toEqual([[-1, 3]]);
  });
  it("nor do statistics on the side carry any, or a mean over an axis of a size unknown", () => {
    const graph = createGraph();
    const [x, w] = [input(graph, "x", "f32", ["N", 2]), input(graph, "w", "f32", [2])];
    const [, reciprocal] = apply(graph, "rmsNorm", { epsilon: 0.1 }, [x, w]);
    expect(() => grad(everything(reciprocal!), [x])).toThrow("rmsNorm's second output");
    expect(() => grad(mean(x, [0, 1]), [x])).toThrow("a mean over an axis of size N");
  });
});
