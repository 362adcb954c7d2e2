/**
 * An ONNX model as bytes. Field numbers are those of onnx.proto3:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 * May not know: our graphs, execution.
 */
import { MessageWriter } from "./wire.js";

export type OnnxDim = number | string;
export type ElementType = "f32" | "i64" | "bool" | "u8";

export interface ValueInfo {
  readonly name: string;
  readonly elementType: ElementType;
  readonly shape: readonly OnnxDim[];
  /** A sequence of such tensors. */
  readonly sequence?: boolean;
}
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant: bytes inside the model, or a place in a file that goes beside it (protobuf ends at 2 GB). */
export interface Initializer {
  readonly name: string;
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  readonly data: { readonly inline: Uint8Array } | { readonly file: string; readonly length: number };
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Shapes of what lies between, so that the runtime can plan memory before it has run. */
  readonly values: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
}

const OPSET = 18;
const IR_VERSION = 8;
const ELEMENT_TYPES = { f32: 1, u8: 2, i64: 7, bool: 9 } as const; // TensorProto.DataType
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const; // AttributeProto.AttributeType
const EXTERNAL = 1; // TensorProto.DataLocation

export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node)); // GraphProto.node
  graph.string(2, "tacit"); // GraphProto.name
  for (const initializer of model.initializers) graph.message(5, encodeInitializer(initializer)); // GraphProto.initializer
  for (const value of model.inputs) graph.message(11, encodeValueInfo(value)); // GraphProto.input
  for (const value of model.outputs) graph.message(12, encodeValueInfo(value)); // GraphProto.output
  for (const value of model.values) graph.message(13, encodeValueInfo(value)); // GraphProto.value_info
  return new MessageWriter()
    .varint(1, IR_VERSION) // ModelProto.ir_version
    .string(2, "tacit") // ModelProto.producer_name
    .message(7, graph) // ModelProto.graph
    .message(8, new MessageWriter().string(1, "").varint(2, OPSET)) // ModelProto.opset_import
    .message(8, new MessageWriter().string(1, "com.microsoft").varint(2, 1))
    .finish();
}

function encodeNode(node: OnnxNode): MessageWriter {
  const message = new MessageWriter();
  for (const name of node.inputs) message.string(1, name); // NodeProto.input
  for (const name of node.outputs) message.string(2, name); // NodeProto.output
  if (node.outputs[0] !== undefined) message.string(3, node.outputs[0]); // NodeProto.name
  message.string(4, node.type); // NodeProto.op_type
  for (const [name, attribute] of Object.entries(node.attributes)) message.message(5, encodeAttribute(name, attribute));
  return message.string(7, node.domain); // NodeProto.domain
}

function encodeAttribute(name: string, attribute: OnnxAttribute): MessageWriter {
  const message = new MessageWriter().string(1, name); // AttributeProto.name
  if ("float" in attribute) return message.float(2, attribute.float).varint(20, ATTRIBUTE_TYPES.float); // .f
  if ("int" in attribute) return message.varint(3, attribute.int).varint(20, ATTRIBUTE_TYPES.int); // .i
  if ("string" in attribute) return message.string(4, attribute.string).varint(20, ATTRIBUTE_TYPES.string); // .s
  for (const value of attribute.ints) message.varint(8, value); // .ints
  return message.varint(20, ATTRIBUTE_TYPES.ints);
}

function encodeInitializer(tensor: Initializer): MessageWriter {
  const message = new MessageWriter();
  for (const dim of tensor.shape) message.varint(1, dim); // TensorProto.dims
  message.varint(2, ELEMENT_TYPES[tensor.elementType]).string(8, tensor.name); // .data_type, .name
  if ("inline" in tensor.data) return message.bytes(9, tensor.data.inline); // .raw_data
  const entry = (key: string, value: string): MessageWriter => new MessageWriter().string(1, key).string(2, value);
  return message
    .message(13, entry("location", tensor.data.file)) // .external_data
    .message(13, entry("offset", "0"))
    .message(13, entry("length", String(tensor.data.length)))
    .varint(14, EXTERNAL); // .data_location
}

function encodeValueInfo(value: ValueInfo): MessageWriter {
  const shape = new MessageWriter();
  for (const dim of value.shape) {
    const size = new MessageWriter();
    shape.message(1, typeof dim === "number" ? size.varint(1, dim) : size.string(2, dim)); // .dim_value, .dim_param
  }
  const tensor = new MessageWriter().varint(1, ELEMENT_TYPES[value.elementType]).message(2, shape); // .elem_type, .shape
  const type = new MessageWriter().message(1, tensor); // TypeProto.tensor_type
  const whole = value.sequence === true ? new MessageWriter().message(4, new MessageWriter().message(1, type)) : type; // .sequence_type
  return new MessageWriter().string(1, value.name).message(2, whole); // .name, .type
}
