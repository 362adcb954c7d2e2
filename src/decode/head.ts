/**
 * From hidden states to tokens or log-probabilities, over the whole vocabulary inside compiled programs: JavaScript never touches
 * a row of logits.
 * May not know: caches, requests, rule files.
 */
import {
  add,
  argmax,
  cast,
  createGraph,
  cumsum,
  input,
  less,
  linear,
  logSoftmax,
  maximum,
  mul,
  pick,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  topk,
} from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import type { Graph, Value } from "../graph/ops.js";
import type { Device, Program, Tensor, Tensors } from "../runtime/device.js";
import { present } from "../util/errors.js";
import { bakedWeight, type QuantizedWeight, quantizedLinear } from "./quantize.js";

/**
 * Which inputs and outputs a program for the next token has besides `hidden` [R, D], `token` [R] and `check` [R], which is finite where
 * the logits were.
 */
export interface NextTokenKind {
  /** Input `scores` [R, V]: log p_rules, added to the logits. */
  readonly rules: boolean;
  /** Inputs `uniforms` [R, 1] in [0, 1) and `inverseTemperature` [1, 1]; without: the most probable token, the first on ties. */
  readonly sampling: boolean;
  /** The outputs of `Trace`. */
  readonly trace: boolean;
}

/** Log-probabilities of the token taken and of the two best, under the model and under model and rules. */
export const traceOutputs = ["base", "adapted", "topIds", "topAdapted", "topBase0", "topBase1"] as const;

/** Largest uniform that is fed: times any total in float32 it stays below that total. */
export const LARGEST_UNIFORM = 1 - 2 ** -23;

/** The matrix from hidden states to logits, [V, D]. */
export type Head = Tensor | (QuantizedWeight & { readonly width: number });

export function compileNextToken(device: Device, head: Head, kind: NextTokenKind): Promise<Program> {
  const { graph, logits, baked } = logitsOf(head);
  const outputs = new Map<string, Value>();
  const [rows, vocabulary] = logits.type.shape as readonly [string, number];
  const adapted = kind.rules ? add(logits, input(graph, "scores", "f32", [rows, vocabulary])) : logits;
  const token = kind.sampling ? draw(adapted) : argmax(adapted);
  outputs.set("token", token);
  outputs.set("check", sum(logits, [-1]));
  if (kind.trace) for (const [name, value] of traceOf(logits, adapted, token)) outputs.set(name, value);
  checkGraph(graph);
  return device.compile(graph, outputs, { baked });
}

/** `hidden` [R, D], `targets` i64 [R] → `logprobs` [R]. */
export function compileLogprobs(device: Device, head: Head): Promise<Program> {
  const { graph, logits, baked } = logitsOf(head);
  const logprobs = pick(logSoftmax(logits), input(graph, "targets", "i64", ["R"]));
  checkGraph(graph);
  return device.compile(graph, new Map([["logprobs", logprobs]]), { baked });
}

function logitsOf(head: Head): { graph: Graph; logits: Value; baked: Tensors } {
  const graph = createGraph();
  const hiddenOf = (width: number): Value => input(graph, "hidden", "f32", ["R", width]);
  if ("codes" in head) {
    const rows = present(head.codes.shape[0], "the head's rows");
    const logits = quantizedLinear(hiddenOf(head.width), "head", [rows, head.width]);
    return { graph, logits, baked: bakedWeight("head", head) };
  }
  const hidden = hiddenOf(present(head.shape[1], "the head's width"));
  return { graph, logits: linear(hidden, input(graph, "head", "f32", head.shape)), baked: { head } };
}

/**
 * A token by the inverse of the cumulated distribution: the first whose cumulated probability exceeds u · total, so that one of
 * probability 0 is never drawn. Softmax and cumulation go along each row alone: a draw does not depend on other rows.
 */
function draw(adapted: Value): Value {
  const { graph } = adapted;
  const [rows, vocabulary] = adapted.type.shape as readonly [string, number];
  const scaled = mul(adapted, input(graph, "inverseTemperature", "f32", [1, 1]));
  const cumulated = cumsum(softmax(scaled));
  const total = slice(cumulated, 1, vocabulary - 1, 1); // [R, 1]
  const threshold = mul(input(graph, "uniforms", "f32", [rows, 1]), total);
  const beyond = sum(cast(less(threshold, cumulated), "f32"), [-1]); // a count: exact up to 2^24
  return cast(sub(vocabulary, maximum(beyond, 1)), "i64"); // of the vocabulary also where nothing is less, as beside NaN
}

function traceOf(logits: Value, adapted: Value, token: Value): [(typeof traceOutputs)[number], Value][] {
  const base = logSoftmax(logits);
  const both = adapted === logits ? base : logSoftmax(adapted);
  const top = topk(both, 2);
  const topId = (i: number): Value => reshape(slice(top.indices, 1, i, 1), ["R"]);
  return [
    ["base", pick(base, token)],
    ["adapted", pick(both, token)],
    ["topIds", top.indices],
    ["topAdapted", top.values],
    ["topBase0", pick(base, topId(0))],
    ["topBase1", pick(base, topId(1))],
  ];
}
