import { describe, expect, it } from "vitest";
import { add, createGraph, input, matmul, mul, reshape, scatterAdd, sub, sum } from "./build.js";
import type { Value } from "./ops.js";
import { overwrites } from "./overwrite.js";

const graph = createGraph();
const square = (name: string): Value => input(graph, name, "f32", [2, 2]);
const [w, m, g] = [square("w"), square("m"), square("g")];
const ids = input(graph, "ids", "i64", ["N"]);
const rows = input(graph, "rows", "f32", ["N", 2]);
const m2 = add(mul(m, 0.9), g);
const w2 = sub(w, m2);

const may = (outputs: Record<string, Value>, output: string, name: string): boolean =>
  overwrites(graph, new Map(Object.entries(outputs)))(output, name);

describe("overwrites", () => {
  it("lets a state be followed by what is made of the new state", () => {
    expect(may({ m2, w2 }, "m2", "m")).toBe(true);
    expect(may({ m2, w2 }, "w2", "w")).toBe(true);
    expect(may({ m2, w2, total: sum(m2, [0, 1]) }, "m2", "m")).toBe(true);
  });
  it("lets a running total take an addend and scattered rows", () => {
    expect(may({ total: scatterAdd(add(w, matmul(m, g)), ids, rows) }, "total", "w")).toBe(true);
    expect(may({ total: add(reshape(w, [4]), reshape(m, [4])) }, "total", "w")).toBe(true);
  });
  it("refuses what another output is made of as well", () => {
    expect(may({ m2, total: sum(m, [0, 1]) }, "m2", "m")).toBe(false);
    expect(may({ m2, old: m }, "m2", "m")).toBe(false);
    expect(may({ m2, w2 }, "w2", "m")).toBe(false);
    expect(may({ m2, w2 }, "m2", "g")).toBe(true);
    expect(may({ m2, w2: sub(w2, g) }, "m2", "g")).toBe(false);
  });
  it("refuses what is not made element by element", () => {
    expect(may({ y: matmul(w, g) }, "y", "w")).toBe(false);
    expect(may({ y: add(matmul(w, g), m) }, "y", "w")).toBe(false);
    expect(may({ y: scatterAdd(w, ids, rows) }, "y", "rows")).toBe(false);
    expect(may({ y: mul(w, sum(w, [0, 1])) }, "y", "w")).toBe(false);
    const row = input(graph, "row", "f32", [1, 2]);
    expect(may({ y: add(w, row) }, "y", "row")).toBe(false);
  });
  it("says nothing against an input on which no output depends", () => {
    expect(may({ m2 }, "m2", "w")).toBe(true);
  });
});
