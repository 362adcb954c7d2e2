/**
 * A graph of ours as an ONNX model: lowers every live node, shares constants, and states every shape that is known.
 * May not know: execution, models.
 */
import { factorsOf, type Shape } from "../graph/dims.js";
import { liveFor } from "../graph/live.js";
import { type Emitter, lower } from "../graph/lower.js";
import type { Graph, Node, Op, TensorType, Value } from "../graph/ops.js";
import { invariant, present } from "../util/errors.js";
import { encodeModel, type Initializer, type OnnxNode, type ValueInfo } from "./model.js";

/** Constants at least this large go beside the model instead of into it. */
const EXTERNAL_BYTES = 1024;

/** Begins every name that is made here; names of inputs and outputs do not. */
const OURS = "%";

/** The sequence that comes before all other outputs where one is asked for. */
export const SEQUENCE = `${OURS}sequence`;

/** A constant that takes the place of an input. */
export interface BakedTensor {
  readonly elementType: "f32" | "i64" | "u8";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface ExportedModel {
  readonly bytes: Uint8Array;
  /** The contents of the files that the model names for its large constants. */
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly inputNames: readonly string[];
}

/**
 * @param outputs what the program gives, by name
 * @param baked   inputs that are constants of the program, by name
 * @param options.sequenceFirst  the first output is to be `SEQUENCE`, a sequence that holds the first of `outputs`
 */
export function exportGraph(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  baked: ReadonlyMap<string, BakedTensor> = new Map(),
  { sequenceFirst = false }: { readonly sequenceFirst?: boolean } = {},
): ExportedModel {
  const live = liveFor(graph, [...outputs.values()]);
  const used = live.nodes.filter((node): node is Node<"input"> & Node => node.op === "input");
  checkNames(used.map(nameOf), [...outputs.keys()]);
  const fed = used.filter((node) => !baked.has(nameOf(node)));
  const writer = createWriter(fed);
  const values: ValueInfo[] = [];
  const names = new Map<Value, string>();
  for (const node of live.nodes) {
    const inputs = node.inputs.map((value) => present(names.get(value), `%${value.id}`));
    const wanted = node.outputs.map((value) => live.values.has(value));
    const rule = lower[node.op] as (
      e: Emitter,
      n: Node<Op>,
      i: readonly string[],
      u: readonly boolean[],
    ) => readonly string[];
    const produced = rule(writer.emitter, node, inputs, wanted);
    node.outputs.forEach((value, i) => {
      if (wanted[i] !== true) return;
      const name = present(produced[i], `${node.op} output ${i}`);
      names.set(value, name);
      if (node.op !== "input" && node.op !== "scalar") values.push(info(name, value.type));
    });
  }
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const [name, tensor] of baked) {
    if (!used.some((node) => nameOf(node) === name)) continue;
    writer.initializers.push(bake(name, tensor, externalData));
  }
  const results = [...outputs].map(([name, value]) => ({
    ...info(name, value.type),
    from: present(names.get(value), name),
  }));
  const { nodes, renamed } = nameOutputs(writer.nodes, results);
  const sequence = sequenceFirst ? results.slice(0, 1).map(sequenceOf) : [];
  const bytes = encodeModel({
    nodes: [...nodes, ...sequence.map(({ node }) => node)],
    inputs: fed.map((node) => info(nameOf(node), node.params.type)),
    outputs: [...sequence, ...results],
    values: values.filter((value) => !renamed.has(value.name)),
    initializers: writer.initializers,
  });
  return { bytes, externalData, inputNames: fed.map(nameOf) };
}

const nameOf = (node: Node<"input">): string => node.params.name;
const info = (name: string, type: TensorType): ValueInfo => ({ name, elementType: type.dtype, shape: type.shape });

/** In one program inputs, outputs and what lies between share one set of names. */
function checkNames(inputs: readonly string[], outputs: readonly string[]): void {
  const names = [...inputs, ...outputs];
  for (const name of names) {
    invariant(name !== "" && !name.startsWith(OURS), `a program's input or output is called "${name}"`);
    invariant(names.indexOf(name) === names.lastIndexOf(name), `both an input and an output are called ${name}`);
  }
}

/** Gives the tensors that are outputs their public names; one that has a name already (an input, or wanted twice) is copied. */
function nameOutputs(
  nodes: readonly OnnxNode[],
  outputs: readonly { readonly name: string; readonly from: string }[],
): { readonly nodes: readonly OnnxNode[]; readonly renamed: ReadonlySet<string> } {
  const produced = new Set(nodes.flatMap((node) => node.outputs));
  const names = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const { name, from } of outputs) {
    if (produced.has(from) && !names.has(from)) names.set(from, name);
    else
      copies.push({ type: "Identity", domain: "", inputs: [names.get(from) ?? from], outputs: [name], attributes: {} });
  }
  const rename = (name: string): string => names.get(name) ?? name;
  const named = nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }));
  return { nodes: [...named, ...copies], renamed: new Set(names.keys()) };
}

function sequenceOf(result: ValueInfo): ValueInfo & { readonly node: OnnxNode } {
  const node = { type: "SequenceConstruct", domain: "", inputs: [result.name], outputs: [SEQUENCE], attributes: {} };
  return { ...result, name: SEQUENCE, sequence: true, node };
}

function bake(name: string, tensor: BakedTensor, externalData: { path: string; data: Uint8Array }[]): Initializer {
  const { elementType, shape, bytes } = tensor;
  if (bytes.length < EXTERNAL_BYTES) return { name, elementType, shape, data: { inline: bytes } };
  externalData.push({ path: name, data: bytes });
  return { name, elementType, shape, data: { file: name, length: bytes.length } };
}

interface Writer {
  readonly emitter: Emitter;
  readonly nodes: OnnxNode[];
  readonly initializers: Initializer[];
}

/** Collects nodes; equal constants and equal run-time shapes are made once. */
function createWriter(inputs: readonly Node<"input">[]): Writer {
  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  const shared = new Map<string, string>();
  const once = (key: string, make: () => string): string => {
    const known = shared.get(key);
    if (known !== undefined) return known;
    const name = make();
    shared.set(key, name);
    return name;
  };
  let next = 0;
  const constant = (
    elementType: "f32" | "i64",
    shape: readonly number[],
    values: Float32Array | BigInt64Array,
  ): string => {
    const name = `${OURS}c${next++}`;
    initializers.push({ name, elementType, shape, data: { inline: new Uint8Array(values.buffer) } });
    return name;
  };
  const emitter: Emitter = {
    node(type, operands, attributes = {}, { domain = "", outputs = 1 } = {}) {
      const names = Array.from({ length: outputs }, () => `${OURS}t${next++}`);
      nodes.push({ type, domain, inputs: operands, outputs: names, attributes });
      return names as [string, ...string[]];
    },
    ints: (values) =>
      once(`i64 ${values.join()}`, () => constant("i64", [values.length], BigInt64Array.from(values, BigInt))),
    float: (value) =>
      once(`f32 ${Object.is(value, -0) ? "-0" : value}`, () => constant("f32", [], Float32Array.of(value))),
    sizes: (shape) =>
      once(`sizes ${shape.join()}`, () =>
        sizes(emitter, shape, (name) => once(`size ${name}`, () => sizeOf(emitter, inputs, name))),
      ),
  };
  return { emitter, nodes, initializers };
}

/** A shape vector: constant where all sizes are, else joined from constants and sizes of the fed inputs. */
function sizes(e: Emitter, shape: Shape, named: (name: string) => string): string {
  if (shape.every((dim) => typeof dim === "number")) return e.ints(shape as number[]);
  const parts = shape.map((dim) => {
    const { factor, names } = factorsOf(dim);
    return names.reduce<string | undefined>(
      (acc, name) => (acc === undefined ? named(name) : e.node("Mul", [acc, named(name)])[0]),
      factor === 1 && names.length > 0 ? undefined : e.ints([factor]),
    );
  });
  return e.node(
    "Concat",
    parts.map((part) => present(part, "size")),
    { axis: { int: 0 } },
  )[0];
}

/** The run-time value of a named size, as an int64 vector of one, read off an input that has it as an axis. */
function sizeOf(e: Emitter, inputs: readonly Node<"input">[], name: string): string {
  for (const node of inputs) {
    const axis = node.params.type.shape.indexOf(name);
    if (axis >= 0) return e.node("Shape", [node.params.name], { start: { int: axis }, end: { int: axis + 1 } })[0];
  }
  invariant(false, `no input has an axis of size ${name}`);
}
