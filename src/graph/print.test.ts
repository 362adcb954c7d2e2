import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, createGraph, exp, fill, input, linear, mul, neg, rmsNorm, scalar, softmax, sum } from "./build.js";
import type { Graph, Value } from "./ops.js";
import { printGraph } from "./print.js";

function small(graph: Graph = createGraph()): { graph: Graph; y: Value } {
  const [x, w] = [input(graph, "x", "f32", ["B", 4]), input(graph, "w", "f32", [3, 4])];
  const gain = input(graph, "gain", "f32", [4]);
  return { graph, y: sum(softmax(mul(linear(rmsNorm(x, gain, 1e-6), w), 0.5)), [-1]) };
}

describe("printGraph", () => {
  it("writes one node a line, with shapes and parameters", () => {
    const { graph, y } = small();
    expect(printGraph(graph, [y])).toMatchInlineSnapshot(`
      "%0: f32[B,4] = input() name="x" type={"dtype":"f32","shape":["B",4]}
      %1: f32[3,4] = input() name="w" type={"dtype":"f32","shape":[3,4]}
      %2: f32[4] = input() name="gain" type={"dtype":"f32","shape":[4]}
      %3: f32[B,4], %4: f32[B,1] = rmsNorm(%0, %2) epsilon=0.000001
      %5: f32[B,3] = matmul(%3, %1) transA=false transB=true alpha=1
      %6: f32[] = scalar() value=0.5
      %7: f32[B,3] = mul(%5, %6)
      %8: f32[B,3] = softmax(%7)
      %9: f32[B] = sum(%8) axes=[1] keepDims=false
      return %9"
    `);
  });
  it("leaves out what the outputs do not need, and numbers what is left from 0", () => {
    const plain = small();
    const { graph, y } = small();
    exp(y);
    expect(printGraph(graph, [y])).toBe(printGraph(plain.graph, [plain.y]));
    const other = createGraph();
    neg(input(other, "before", "f32", [2]));
    const later = small(other);
    expect(printGraph(other, [later.y])).toBe(printGraph(plain.graph, [plain.y]));
  });
  it("tells all constants apart, also those that JSON does not", () => {
    const values = [0, -0, 1e-30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const printed = values.map((value) => {
      const graph = createGraph();
      return printGraph(graph, [fill(graph, value, [2])]);
    });
    expect(new Set(printed).size).toBe(values.length);
  });
});

describe("graphs that print the same", () => {
  it("are the same", () => {
    const graphOf = (shape: readonly number[], value: number, twice: boolean): { graph: Graph; y: Value } => {
      const graph = createGraph();
      const y = add(input(graph, "x", "f32", shape), scalar(graph, value));
      return { graph, y: twice ? neg(y) : y };
    };
    const one = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
      value: fc.integer({ min: 0, max: 2 }),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(one, one, (a, b) => {
        const [first, second] = [a, b].map(({ shape, value, twice }) => graphOf(shape, value, twice));
        const printed = [first!, second!].map(({ graph, y }) => printGraph(graph, [y]));
        expect(printed[0] === printed[1]).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
