/**
 * How much memory a training run will take, read off the very graph that will run.
 * May not know: how much there is.
 */
import { TUNING_FLOATS_PER_PARAMETER as PARTS } from "../engine/tuning.js";
import { evaluate, product } from "../graph/dims.js";
import { grad } from "../graph/grad.js";
import type { Value } from "../graph/ops.js";
import type { Model } from "../models/model.js";
import { parameterCount } from "../models/open.js";
import type { Row } from "../records/row.js";
import { present } from "../util/errors.js";
import { paddedWidth } from "./batches.js";
import { EVALUATED_CHUNK_LOGITS, headChunks, lossGraph, TIME_STEP } from "./loss-program.js";

const FLOAT = 4;

/**
 * ONNX Runtime's arena grows by doubling and keeps what it has, also between micro-batches of several shapes; the large pieces of the
 * head fit worst. Factors on what is counted exactly, so that nothing measured needed more: models of 5.9M, 134.5M and 268M parameters,
 * 1,024 and 2,048 positions, with and without recomputation (`docs/decisions/training.md`).
 */
const SLACK = { forward: 1.25, head: 2.4 } as const;
/** Of the chunk of the head that is computed: logits, log-probabilities, probabilities and the error, each [C, V]. */
const HEAD_ARRAYS = 4;
/** Where no gradient is wanted: the first two, and one that is not yet given back. */
const EVALUATED_HEAD_ARRAYS = 3;

/** Bytes. */
export interface MemoryEstimate {
  readonly weights: number;
  /** Running totals of the gradients. */
  readonly gradients: number;
  readonly adam: number;
  /** Forward values that the backward pass still needs, masks, and the logits of one chunk. */
  readonly activations: number;
  readonly total: number;
}

/** One shape that a micro-batch can have. */
export interface BatchShape {
  readonly rows: number;
  /** Positions of each row, padding included. */
  readonly time: number;
}

/**
 * Bytes for micro-batches of a shape, all positions supervised. The graph is made once, so that asking for many shapes is cheap.
 *
 * @param maxPositions      supervised positions that a micro-batch may have, as for `compileLoss`
 * @param options.heldOut   shapes of which losses are computed between epochs, while the training program keeps its memory
 * @param options.recompute only the input of each layer is kept for the backward pass, and all of one layer at a time
 */
export function memoryEstimator(
  model: Model,
  maxPositions: number,
  { heldOut = [], recompute = false }: { readonly heldOut?: readonly BatchShape[]; readonly recompute?: boolean } = {},
): (shape: BatchShape) => MemoryEstimate {
  const { vocabSize, hiddenSize } = model.dims;
  const parameters = parameterCount(model);
  const chunks = headChunks(vocabSize, maxPositions);
  const saved = savedValues(model, chunks, false);
  const passed = recompute ? savedValues(model, chunks, true) : saved;
  const windows = new Set(model.dims.windows).size;
  const bytes = FLOAT * parameters;
  const [weights, gradients, adam] = [bytes * PARTS.weights, bytes * PARTS.gradients, bytes * PARTS.adam];
  const layers = model.dims.windows.length;
  const chunkOf = ({ rows, time }: BatchShape): number => Math.ceil((rows * time) / chunks);
  const masksOf = ({ time }: BatchShape): number => windows * time ** 2;
  const sizeOf = (values: readonly Value[], shape: BatchShape): number => {
    const bindings = new Map([
      ["B", shape.rows],
      ["Q", shape.time / TIME_STEP],
      ["C", chunkOf(shape)],
      ...model.ropes.map(({ name }): [string, number] => [`P.${name}`, shape.time]),
    ]);
    return values.reduce((sum, value) => sum + evaluate(product(value.type.shape), bindings), 0);
  };
  const evaluated = heldOut.reduce((most, shape) => {
    const logits = Math.min(EVALUATED_CHUNK_LOGITS, shape.rows * shape.time * vocabSize);
    const layer = sizeOf(saved, shape) / layers; // one at a time
    const working = SLACK.head * EVALUATED_HEAD_ARRAYS * logits + SLACK.forward * layer;
    return Math.max(most, working + masksOf(shape));
  }, 0);
  return (shape) => {
    const [all, kept] = [sizeOf(saved, shape), sizeOf(passed, shape)];
    const forward = kept + (all - kept) / layers;
    const head = HEAD_ARRAYS * chunkOf(shape) * vocabSize + 2 * vocabSize * hiddenSize; // and its gradient before and after a chunk is added
    const working = SLACK.forward * forward + SLACK.head * head + evaluated;
    const activations = Math.round(FLOAT * (working + masksOf(shape)));
    return { weights, gradients, adam, activations, total: weights + gradients + adam + activations };
  };
}

/** The widest micro-batch of every width that occurs among `rows`: what `microBatches` can make of them at most. */
export function batchShapes(
  rows: readonly Row[],
  options: { readonly batch: number; readonly microTokens: number },
): BatchShape[] {
  const widths = rows.map((row) => paddedWidth(row)).sort((a, b) => a - b);
  const upTo = new Map(widths.map((width, i) => [width, i + 1])); // rows of this width or less
  return [...upTo].map(([time, count]) => ({
    time,
    rows: Math.min(options.batch, count, Math.max(1, Math.floor(options.microTokens / time))),
  }));
}

/** Values that the forward pass makes and the backward pass reads. */
function savedValues(model: Model, chunks: number, recompute: boolean): readonly Value[] {
  const { graph, loss, forward } = lossGraph(model, chunks);
  const made = new Set(graph.nodes);
  grad(
    loss,
    [...forward.parameters.keys()].map((name) => present(forward.parameters.get(name), name)),
    [],
    { recompute },
  );
  const saved = new Set<Value>();
  for (const node of graph.nodes) {
    if (made.has(node)) continue;
    for (const value of node.inputs.map(shown)) {
      // A head's two derivatives are counted with the head.
      if (made.has(value.node) && !["input", "scalar", "linearCrossEntropy"].includes(value.node.op)) saved.add(value);
    }
  }
  return [...saved];
}

/** A view shares the memory of what it shows. */
function shown(value: Value): Value {
  return value.node.op === "reshape" ? shown(present(value.node.inputs[0], "what a view shows")) : value;
}
