import { describe, expect, it } from "vitest";
import {
  add,
  createGraph,
  gather,
  input,
  less,
  linear,
  mul,
  reshape,
  rmsNorm,
  select,
  silu,
  slice,
  softmaxMatmul,
  sum,
} from "./build.js";
import { grad } from "./grad.js";
import { interpret } from "./interpret.js";
import { doubles } from "./interpret-kernels.js";
import { liveFor } from "./live.js";
import type { Value } from "./ops.js";
import { rowsOf } from "./rows.js";

/** Every row sees every other. */
const attention = (x: Value): Value =>
  reshape(softmaxMatmul(reshape(linear(x, x), [1, "N", "N"]), reshape(x, [1, "N", 4])), ["N", 4]);

/** The end of a layer: x [N,4] has met other rows, then comes a feed-forward block with its residual. */
function lastLayer() {
  const graph = createGraph();
  const [x, weight] = [input(graph, "x", "f32", ["N", 4]), input(graph, "weight", "f32", [4])];
  const [up, down] = [input(graph, "up", "f32", [8, 4]), input(graph, "down", "f32", [4, 8])];
  const middle = add(x, attention(x));
  const hidden = add(middle, linear(silu(linear(rmsNorm(middle, mul(weight, 2), 1e-5), up)), down));
  return { graph, hidden, middle, ids: input(graph, "ids", "i64", ["K"]) };
}

const feeds = new Map([
  ["x", doubles([6, 4], (i) => Math.sin(3 * i))],
  ["weight", doubles([4], (i) => 1 + i / 10)],
  ["up", doubles([8, 4], (i) => Math.cos(i))],
  ["down", doubles([4, 8], (i) => Math.sin(5 + i))],
  ["ids", doubles([3], (i) => [4, 1, 4][i]!)],
]);

/** Operators that what is needed for `value` computes on all N rows. */
const onAllRows = (value: Value): string[] =>
  liveFor(value.graph, [value]).nodes.flatMap(({ op, outputs }) =>
    op !== "input" && outputs[0]?.type.shape[0] === "N" ? [op] : [],
  );

/** Those of attention. */
const met = ["matmul", "reshape"];

describe("rowsOf", () => {
  it("gives the rows that a look-up would, repeated ones among them", () => {
    const { graph, hidden, ids } = lastLayer();
    const [chosen, looked] = interpret(graph, feeds, [rowsOf(hidden, ids), gather(hidden, ids)]);
    expect(chosen).toEqual(looked);
    expect(chosen!.shape).toEqual([3, 4]);
  });
  it("computes for these rows alone what lies behind the last place where rows meet", () => {
    const [early, late] = [lastLayer(), lastLayer()];
    expect(onAllRows(rowsOf(early.hidden, early.ids))).toEqual(met);
    const block = ["add", "rmsNorm", "matmul", "silu", "matmul", "add"];
    expect(onAllRows(gather(late.hidden, late.ids))).toEqual([...met, ...block]);
  });
  it("is differentiated like a look-up", () => {
    const gradients = [rowsOf, gather].map((choose) => {
      const { graph, hidden, ids } = lastLayer();
      const rows = choose(hidden, ids);
      const names = ["x", "weight", "up", "down"].map((name) => graph.inputs.get(name)!);
      return interpret(graph, feeds, [...grad(sum(mul(rows, rows), [0, 1]), names)]);
    });
    gradients[0]!.forEach(({ data }, i) => {
      data.forEach((value, j) => {
        expect(value).toBeCloseTo(gradients[1]![i]!.data[j]!, 12); // sums of doubles in another order
      });
    });
  });
  it("moves past what is broadcast over rows, and past two branches that begin at one value", () => {
    const make = () => {
      const graph = createGraph();
      const [x, bias] = [input(graph, "x", "f32", ["N", 4]), input(graph, "weight", "f32", [4])];
      const joined = attention(x);
      const column = slice(joined, 1, 0, 1); // [N,1]
      const hidden = select(less(joined, 0), mul(joined, column), add(rmsNorm(joined, bias, 1e-5), bias));
      return { graph, hidden, ids: input(graph, "ids", "i64", ["K"]) };
    };
    const { graph, hidden, ids } = make();
    const rows = rowsOf(hidden, ids);
    expect(onAllRows(rows)).toEqual([...met, "slice"]);
    const [chosen, looked] = interpret(graph, feeds, [rows, gather(hidden, ids)]);
    expect(chosen).toEqual(looked);
  });
  it("leaves whole what something else reads", () => {
    const { graph, hidden, middle, ids } = lastLayer();
    attention(middle);
    const rows = rowsOf(hidden, ids);
    expect(onAllRows(rows)).toEqual([...met, "add"]);
    const [chosen, looked] = interpret(graph, feeds, [rows, gather(hidden, ids)]);
    expect(chosen).toEqual(looked);
  });
  it("looks up rows of what is read itself", () => {
    const { hidden, ids } = lastLayer();
    mul(hidden, 2);
    expect(rowsOf(hidden, ids).node.op).toBe("gather");
  });
});
