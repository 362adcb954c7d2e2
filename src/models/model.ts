/**
 * A model is a checked config plus plain functions over a typed tree of parameters. `defineFamily` erases the types, so that
 * training and decoding see one small interface.
 * May not know: training, decoding, where weights come from.
 */
import type { z } from "zod";
import { createGraph, input } from "../graph/build.js";
import type { Graph, Shape, Value } from "../graph/ops.js";
import { invariant, present } from "../util/errors.js";
import { checked } from "../util/schema.js";

/** One parameter under its published name. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A rotary embedding of the first 2·n dimensions of each head; pair i at position p turns by p · frequencies[i]. */
export interface RopeSpec {
  readonly name: string;
  readonly frequencies: Float32Array; // [n]
  /** What sine and cosine are multiplied by: YaRN scales queries and keys, all others have 1. */
  readonly magnitude: number;
}

/** What every consumer needs to know of the shape of a model. */
export interface ModelDims {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Positions the model was made for. */
  readonly maxPositions: number;
  /** Per layer: how many tokens back it sees, itself included; undefined for all. */
  readonly windows: readonly (number | undefined)[];
}

/** How one attention layer meets the rest of the sequence; training and decoding each bring their own. */
export type Attend = (
  q: Value, // [B, H, T, hd]
  k: Value, // [B, KV, T, hd]
  v: Value, // [B, KV, T, hd]
  layer: { readonly index: number; readonly window: number | undefined; readonly scale: number },
) => Value; // [B, H, T, hd]

/** What a forward pass is given besides the parameters. */
export interface ForwardInputs {
  readonly ids: Value; // i64 [B*T]
  readonly batch: Shape[number];
  readonly time: Shape[number];
  readonly positions: Value; // i64 [B, T] or [1, T]
  readonly attend: Attend;
}

/** A forward pass as part of a graph. */
export interface Forward {
  /** After the last norm: f32 [B*T, D]. */
  readonly hidden: Value;
  /** Logits are hidden · headᵀ: f32 [V, D]. */
  readonly head: Value;
  /** Every parameter by its published name; a tied matrix once. */
  readonly parameters: ReadonlyMap<string, Value>;
}

export interface Model {
  readonly family: string;
  readonly dims: ModelDims;
  readonly parameters: readonly ParameterSpec[];
  readonly ropes: readonly RopeSpec[];
  /** Adds the forward pass to `graph`; parameters become inputs under their names, rope tables as `ropeInputs` says. */
  forward(graph: Graph, inputs: ForwardInputs): Forward;
}

/** The name of the parameter that a forward pass ends with: of a tied model its embedding. */
export function headNameOf({ parameters, head }: Pick<Forward, "parameters" | "head">): string {
  const found = [...parameters].find(([, value]) => value === head);
  invariant(found !== undefined, "the head is no parameter");
  return found[0];
}

/** The same of a model as such. */
export function headName(model: Model): string {
  const graph = createGraph();
  const [ids, positions] = [input(graph, "ids", "i64", ["N"]), input(graph, "positions", "i64", ["N", 1])];
  return headNameOf(model.forward(graph, { ids, batch: "N", time: 1, positions, attend: (q) => q }));
}

type Leaves<T, L> = T extends ParameterSpec ? L : { readonly [K in keyof T]: Leaves<T[K], L> };
/** A tree whose leaves are parameters, the shape in which a family's code speaks of them, with values in place of specifications. */
export type Values<T> = Leaves<T, Value>;

export interface RopeTables {
  readonly cos: Value; // [P, n]
  readonly sin: Value;
}

export interface Family<C, T> {
  readonly name: string;
  /** `model_type` values of config.json. */
  readonly modelTypes: readonly string[];
  readonly config: z.ZodType<C>;
  readonly dims: (config: C) => ModelDims;
  readonly parameters: (config: C) => T;
  readonly ropes: (config: C) => readonly RopeSpec[];
  /** @param rope the tables of one of `ropes`, by name */
  readonly forward: (
    config: C,
    parameters: Values<T>,
    inputs: ForwardInputs,
    rope: (name: string) => RopeTables,
  ) => { readonly hidden: Value; readonly head: Value };
}

/** A family without its type parameters. */
export interface AnyFamily {
  readonly name: string;
  readonly modelTypes: readonly string[];
  /** @throws UserError  a field is missing, or has a value that changes the result and is not honoured here */
  readonly open: (config: unknown, path: string) => Model;
}

export function defineFamily<C, T>(family: Family<C, T>): AnyFamily {
  return {
    name: family.name,
    modelTypes: family.modelTypes,
    open(raw, path) {
      const remedy = `this reads the ${family.name} family as Hugging Face publishes it`;
      return erase(family, checked(family.config, raw, path, remedy));
    },
  };
}

function erase<C, T>(family: Family<C, T>, config: C): Model {
  const tree = family.parameters(config);
  const parameters = leavesOf(tree);
  const ropes = family.ropes(config);
  return {
    family: family.name,
    dims: family.dims(config),
    parameters,
    ropes,
    forward(graph, inputs) {
      const values = new Map(parameters.map(({ name, shape }) => [name, input(graph, name, "f32", shape)]));
      const tables = new Map(ropes.map((rope) => [rope.name, ropeInputs(graph, rope)]));
      const place = (spec: ParameterSpec): Value => present(values.get(spec.name), spec.name);
      const rope = (name: string): RopeTables => present(tables.get(name), name);
      return { ...family.forward(config, mapLeaves(tree, place) as Values<T>, inputs, rope), parameters: values };
    },
  };
}

/** The tables are fed, as long as the longest position in use: named size `P.<rope>`. */
function ropeInputs(graph: Graph, rope: RopeSpec): RopeTables {
  const shape: Shape = [`P.${rope.name}`, rope.frequencies.length];
  return { cos: input(graph, `cos.${rope.name}`, "f32", shape), sin: input(graph, `sin.${rope.name}`, "f32", shape) };
}

const isSpec = (node: unknown): node is ParameterSpec =>
  typeof node === "object" && node !== null && "name" in node && "shape" in node;

function leavesOf(tree: unknown): ParameterSpec[] {
  if (isSpec(tree)) return [tree];
  if (typeof tree !== "object" || tree === null) return [];
  return Object.values(tree).flatMap(leavesOf);
}

function mapLeaves(tree: unknown, f: (spec: ParameterSpec) => Value): unknown {
  if (isSpec(tree)) return f(tree);
  if (Array.isArray(tree)) return tree.map((child: unknown) => mapLeaves(child, f));
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, mapLeaves(child, f)]));
}
