import { describe, expect, it } from "vitest";
import { type DecodedModel, decodeModel } from "../../test/onnx-proto.js";
import { add, createGraph, exp, fill, input, mul, neg, reshape, rmsNorm, silu, sum } from "../graph/build.js";
import type { Graph, Value } from "../graph/ops.js";
import { exportGraph } from "./export.js";

const outputs = (values: Record<string, Value>): ReadonlyMap<string, Value> => new Map(Object.entries(values));
const read = (graph: Graph, values: Record<string, Value>): DecodedModel["graph"] =>
  decodeModel(exportGraph(graph, outputs(values)).bytes).graph;
const types = (graph: DecodedModel["graph"]): string[] => (graph.node ?? []).map((node) => node.op_type);

describe("exportGraph", () => {
  it("keeps what the outputs need, and nothing else", () => {
    const graph = createGraph();
    const [x, unused] = [input(graph, "x", "f32", ["B"]), input(graph, "unused", "f32", ["B"])];
    exp(unused);
    const model = read(graph, { y: neg(x) });
    expect(types(model)).toEqual(["Neg"]);
    expect(exportGraph(graph, outputs({ y: neg(x) })).inputNames).toEqual(["x"]);
    expect(model.input!.map(({ name }) => name)).toEqual(["x"]);
    expect(model.node![0]).toMatchObject({ input: ["x"], output: ["y"] });
  });

  it("copies an output that has a name already: an input, or a value wanted twice", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["B"]);
    const y = neg(x);
    const model = read(graph, { a: y, b: y, c: x });
    expect(model.node!.map(({ op_type, input: from, output }) => [op_type, from, output])).toEqual([
      ["Neg", ["x"], ["a"]],
      ["Identity", ["a"], ["b"]],
      ["Identity", ["x"], ["c"]],
    ]);
  });

  it("asks for the statistics of a norm only where they are used", () => {
    const graph = createGraph();
    const [x, w] = [input(graph, "x", "f32", ["B", 4]), input(graph, "w", "f32", [4])];
    const y = rmsNorm(x, w, 1e-6);
    expect(read(graph, { y }).node![0]!.output).toEqual(["y"]);
    expect(read(graph, { y, r: y.node.outputs[1]! }).node![0]!.output).toEqual(["y", "r"]);
  });

  it("states the shape of everything in between, by number and by name", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["B", "T", 4]);
    const flat = reshape(x, ["B*T", 4]);
    const model = read(graph, { y: sum(silu(flat), [0]) });
    const shapes = model.value_info!.map(({ type }) => type!.tensor_type.shape.dim!);
    expect(shapes).toEqual([
      [{ dim_param: "B*T" }, { dim_value: 4 }],
      [{ dim_param: "B*T" }, { dim_value: 4 }],
    ]);
  });

  it("makes equal constants and sizes once", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["B", 4]);
    const y = add(mul(fill(graph, 2, ["B", 4]), 2), add(mul(x, 2), fill(graph, 2, ["B", 4])));
    const model = read(graph, { y });
    expect(types(model).filter((type) => type === "Shape")).toHaveLength(1);
    expect(types(model).filter((type) => type === "Concat")).toHaveLength(1);
    expect(model.initializer!.filter(({ data_type }) => data_type === 1)).toHaveLength(1);
  });

  it("puts large constants beside the model, small ones into it, and unused ones nowhere", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [300]);
    const [large, small] = [input(graph, "a/large", "f32", [300]), input(graph, "small", "f32", [1])];
    input(graph, "unused", "f32", [300]);
    const tensor = (length: number) =>
      ({ elementType: "f32", shape: [length], bytes: new Uint8Array(4 * length).fill(length) }) as const;
    const baked = new Map([
      ["a/large", tensor(300)],
      ["small", tensor(1)],
      ["unused", tensor(300)],
    ]);
    const { bytes, externalData, inputNames } = exportGraph(graph, outputs({ y: add(mul(x, large), small) }), baked);
    const { initializer } = decodeModel(bytes).graph;
    expect(inputNames).toEqual(["x"]);
    expect(initializer!.map(({ name, data_location }) => [name, data_location])).toEqual([
      ["a/large", 1],
      ["small", undefined],
    ]);
    expect(externalData.map(({ path, data }) => [path, data.length])).toEqual([["a/large", 1200]]);
    expect(Array.from(initializer![1]!.raw_data!)).toEqual([1, 1, 1, 1]);
  });

  it("refuses names that would meet in one program", () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["B"]);
    expect(() => exportGraph(graph, outputs({ x: neg(x) }))).toThrow("both an input and an output are called x");
    expect(() => exportGraph(graph, outputs({ "%t0": neg(x) }))).toThrow('called "%t0"');
    expect(() => exportGraph(graph, outputs({ y: fill(graph, 0, ["N"]) }))).toThrow("no input has an axis of size N");
  });

  it("writes the same bytes for the same graph", () => {
    const build = (): Uint8Array => {
      const graph = createGraph();
      return exportGraph(graph, outputs({ y: silu(mul(input(graph, "x", "f32", ["B", 4]), 0.5)) })).bytes;
    };
    expect(Buffer.compare(build(), build())).toBe(0);
  });
});
