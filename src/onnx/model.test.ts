import { describe, expect, it } from "vitest";
import { decodeModel } from "../../test/onnx-proto.js";
import { encodeModel, type OnnxModel } from "./model.js";

const empty: OnnxModel = { nodes: [], inputs: [], outputs: [], values: [], initializers: [] };
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe("encodeModel", () => {
  it("states versions, operator sets and the producer", () => {
    const { graph, ...rest } = decodeModel(encodeModel(empty));
    expect(rest).toEqual({
      ir_version: 8,
      producer_name: "tacit",
      opset_import: [
        { domain: "", version: 18 },
        { domain: "com.microsoft", version: 1 },
      ],
    });
    expect(graph).toEqual({ name: "tacit" });
  });

  it("writes nodes with every kind of attribute, negative numbers included", () => {
    const attributes = {
      axis: { int: -1 },
      alpha: { float: 0.5 },
      perm: { ints: [2, 0, -1] },
      mode: { string: "add" },
    };
    const node = { type: "Thing", domain: "com.microsoft", inputs: ["a", "", "b"], outputs: ["y", "z"], attributes };
    const [read] = decodeModel(encodeModel({ ...empty, nodes: [node] })).graph.node!;
    const { attribute, ...rest } = read!;
    expect(rest).toEqual({
      input: ["a", "", "b"], // an input left out keeps its place
      output: ["y", "z"],
      name: "y",
      op_type: "Thing",
      domain: "com.microsoft",
    });
    // Types 1 float, 2 int, 3 string, 7 ints: onnx.proto, AttributeProto.AttributeType.
    expect(attribute!.map(({ s, ...others }) => (s === undefined ? others : { ...others, s: text(s) }))).toEqual([
      { name: "axis", type: 2, i: -1 },
      { name: "alpha", type: 1, f: 0.5 },
      { name: "perm", type: 7, ints: [2, 0, -1] },
      { name: "mode", type: 3, s: "add" },
    ]);
  });

  it("writes sizes as numbers or names, and of a scalar none", () => {
    const infos = [
      { name: "ids", elementType: "i64", shape: ["B", 2, "2*B*T"] },
      { name: "one", elementType: "f32", shape: [] },
    ] as const;
    const { graph } = decodeModel(encodeModel({ ...empty, inputs: infos, outputs: infos, values: infos }));
    // Element types 1 float, 7 int64: onnx.proto, TensorProto.DataType.
    const expected = [
      {
        name: "ids",
        type: {
          tensor_type: { elem_type: 7, shape: { dim: [{ dim_param: "B" }, { dim_value: 2 }, { dim_param: "2*B*T" }] } },
        },
      },
      { name: "one", type: { tensor_type: { elem_type: 1, shape: {} } } },
    ];
    expect([graph.input, graph.output, graph.value_info]).toEqual([expected, expected, expected]);
  });

  it("writes constants inside, or says where they lie", () => {
    const bytes = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64); // 1 and 2
    const { graph } = decodeModel(
      encodeModel({
        ...empty,
        initializers: [
          { name: "inside", elementType: "f32", shape: [2, 1], data: { inline: bytes } },
          { name: "beside", elementType: "u8", shape: [2 ** 33], data: { file: "model.bin", length: 2 ** 33 } },
          { name: "none", elementType: "i64", shape: [0], data: { inline: new Uint8Array() } },
        ],
      }),
    );
    const [inside, beside, none] = graph.initializer!;
    expect({ ...inside, raw_data: Array.from(inside!.raw_data!) }).toEqual({
      name: "inside",
      data_type: 1,
      dims: [2, 1],
      raw_data: Array.from(bytes),
    });
    expect(beside).toEqual({
      name: "beside",
      data_type: 2,
      dims: [2 ** 33], // beyond 32 bits
      external_data: [
        { key: "location", value: "model.bin" },
        { key: "offset", value: "0" },
        { key: "length", value: String(2 ** 33) },
      ],
      data_location: 1,
    });
    expect(none).toMatchObject({ dims: [0], data_type: 7 });
  });
});
