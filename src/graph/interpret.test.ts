/** The judge itself, against numbers worked out by hand. */
import { describe, expect, it } from "vitest";
import {
  argmax,
  cast,
  createGraph,
  cumsum,
  erf,
  fill,
  gelu,
  geluTanh,
  input,
  layerNorm,
  linearCrossEntropy,
  logSoftmax,
  matmul,
  max,
  mean,
  pick,
  rmsNorm,
  rotary,
  scatterAdd,
  silu,
  slice,
  softmax,
  topk,
  transpose,
} from "./build.js";
import { interpret } from "./interpret.js";
import { type Doubles, doubles } from "./interpret-kernels.js";
import type { Value } from "./ops.js";

const graph = createGraph();
const feeds = new Map<string, Doubles>();
let fed = 0;
/** An input that is these numbers; integers where `ids`. */
function given(shape: readonly number[], values: readonly number[], dtype: "f32" | "i64" = "f32"): Value {
  const name = `x${fed++}`;
  feeds.set(
    name,
    doubles(shape, (i) => values[i]!),
  );
  return input(graph, name, dtype, shape);
}
const valuesOf = (value: Value): number[] => Array.from(interpret(graph, feeds, [value])[0]!.data);
const expectClose = (value: Value, expected: readonly number[]): void => {
  const actual = valuesOf(value);
  expect(actual.length).toBe(expected.length);
  for (const [i, x] of actual.entries()) expect(x).toBeCloseTo(expected[i]!, 12);
};

const grid = given([2, 3], [1, 2, 3, 4, 5, 6]);

describe("interpret", () => {
  it("multiplies, with either operand transposed", () => {
    const other = given([2, 3], [1, 0, -1, 2, 1, 0]);
    expectClose(matmul(grid, other, { transB: true, alpha: 0.5 }), [-1, 2, -1, 6.5]);
    expectClose(matmul(grid, other, { transA: true }), [9, 4, -1, 12, 5, -2, 15, 6, -3]);
  });
  it("reduces, drops and keeps axes", () => {
    expectClose(mean(grid, [0]), [2.5, 3.5, 4.5]);
    expectClose(max(grid, [1], true), [3, 6]);
    expectClose(cumsum(grid), [1, 3, 6, 4, 9, 15]);
  });
  it("turns logits into probabilities, however large they are", () => {
    expectClose(softmax(given([2], [1000 + Math.log(3), 1000])), [0.75, 0.25]);
    expectClose(logSoftmax(given([2], [-1000, -1000 + Math.log(3)])), [Math.log(0.25), Math.log(0.75)]);
  });
  it("takes the first of equals", () => {
    const ties = given([2, 4], [1, 3, 3, 2, 0, 0, 0, 0]);
    expectClose(argmax(ties), [1, 0]);
    const { values, indices } = topk(ties, 3);
    expectClose(values, [3, 3, 2, 0, 0, 0]);
    expectClose(indices, [1, 2, 3, 0, 1, 2]);
  });
  it("has the usual activations", () => {
    expectClose(silu(given([2], [0, 2])), [0, 2 / (1 + Math.exp(-2))]);
    // 0.8411919906082768 = torch.nn.functional.gelu(torch.tensor(1.0, dtype=torch.float64), approximate="tanh")
    expectClose(geluTanh(given([1], [1])), [0.8411919906082768]);
    expectClose(erf(given([3], [-0.5, 0, 2])), [-0.5204998778130465, 0, 0.9953222650189527]); // Abramowitz and Stegun, table 7.1
    expectClose(gelu(given([2], [1, -3])), [0.8413447460685429, -3 * 0.0013498980316300957]); // x times the normal distribution
    expectClose(cast(given([3], [-1.7, 0, 1.7]), "i64"), [-1, 0, 1]);
  });
  it("normalises rows", () => {
    const [weight, bias] = [given([2], [2, 10]), given([2], [1, 0])];
    const row = given([1, 2], [3, 5]);
    expectClose(rmsNorm(row, weight, 8), [6 / 5, 10]); // √((9 + 25) / 2 + 8) = 5
    expectClose(layerNorm(row, weight, bias, 3), [1 - 2 / 2, 10 / 2]); // √(1 + 3) = 2
  });
  it("turns pairs of halves by the angle of their position, and back", () => {
    const [cos, sin] = [given([2, 1], [1, 0]), given([2, 1], [0, 1])]; // 0 and 90 degrees
    const x = given([1, 1, 2, 2], [1, 2, 3, 4]);
    const positions = given([1, 2], [0, 1], "i64");
    const turned = rotary(x, positions, cos, sin);
    expectClose(turned, [1, 2, -4, 3]);
    expectClose(rotary(turned, positions, cos, sin, true), [1, 2, 3, 4]);
  });
  it("scatters, picks, slices and transposes", () => {
    const ids = given([3], [1, 0, 1], "i64");
    const rows = given([3, 2], [1, 2, 3, 4, 5, 6]);
    expectClose(scatterAdd(fill(graph, 10, [2, 2]), ids, rows), [13, 14, 16, 18]);
    expectClose(pick(grid, given([2], [2, 0], "i64")), [3, 4]);
    expectClose(slice(grid, -1, 1, 2), [2, 3, 5, 6]);
    expectClose(transpose(grid, [1, 0]), [1, 4, 2, 5, 3, 6]);
  });
  it("weighs the cross-entropy of a linear head and knows its derivatives", () => {
    // Logits of row 0: [0, ln 3], of row 1: [0, 0]; probabilities 1/4, 3/4 and 1/2, 1/2.
    const h = given([2, 1], [Math.log(3), 0]);
    const w = given([2, 1], [0, 1]);
    const loss = linearCrossEntropy(h, w, given([2], [1, 0], "i64"), given([2], [2, 1]), 1);
    const [, dh, dw] = loss.node.outputs;
    expectClose(loss, [2 * Math.log(4 / 3) + Math.log(2)]);
    expectClose(dh!, [2 * (0.75 - 1), 0.5]);
    expectClose(dw!, [2 * 0.25 * Math.log(3), 2 * -0.25 * Math.log(3)]);
  });
  it("names what is not fed", () => {
    const missing = input(graph, "missing", "f32", ["M"]);
    expect(() => interpret(graph, feeds, [matmul(grid, fill(graph, 1, [3, "M"]))])).toThrow("size M is not bound");
    expect(() => interpret(graph, feeds, [missing])).toThrow("is missing");
  });
});
