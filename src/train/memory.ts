/**
 * How much memory a training run will take, read off the very graph that will run.
 * May not know: how much there is.
 */
import { evaluate, product } from "../graph/dims.js";
import { grad } from "../graph/grad.js";
import type { Value } from "../graph/ops.js";
import type { Model } from "../models/model.js";
import { present } from "../util/errors.js";
import { CHUNK_LOGITS, headChunks, lossGraph } from "./loss-program.js";

const FLOAT = 4;
/** ONNX Runtime's arena grows by doubling and keeps what it has; measured peaks lie below this factor on the working set. */
const ARENA_SLACK = 1.35;

export interface MemoryEstimate {
  readonly weights: number;
  /** Running totals of the gradients, and the copy of them that every run hands over. */
  readonly gradients: number;
  readonly adam: number;
  /** Forward values that the backward pass still needs, and the logits of one chunk. */
  readonly activations: number;
  readonly total: number;
}

/** Bytes for micro-batches of `rows` × `time` positions, all of them supervised. */
export function estimateMemory(model: Model, rows: number, time: number): MemoryEstimate {
  const parameters = model.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const positions = rows * time;
  const chunks = headChunks(model.dims.vocabSize, positions);
  const bindings = new Map([
    ["B", rows],
    ["T", time],
    ["C", Math.ceil(positions / chunks)],
    ...model.ropes.map(({ name }): [string, number] => [`P.${name}`, time]),
  ]);
  const saved = savedValues(model, chunks).reduce(
    (sum, value) => sum + evaluate(product(value.type.shape), bindings),
    0,
  );
  const logits = Math.min(CHUNK_LOGITS, positions * model.dims.vocabSize);
  const head = 2 * model.dims.vocabSize * model.dims.hiddenSize; // the head's gradient before and after a chunk is added
  const weights = FLOAT * parameters;
  const gradients = 2 * FLOAT * parameters;
  const adam = 2 * FLOAT * parameters;
  const activations = Math.round(ARENA_SLACK * FLOAT * (saved + 3 * logits + head));
  return { weights, gradients, adam, activations, total: weights + gradients + adam + activations };
}

/** Values that the forward pass makes and the backward pass reads. */
function savedValues(model: Model, chunks: number): readonly Value[] {
  const { graph, loss, forward } = lossGraph(model, chunks);
  const made = new Set(graph.nodes);
  grad(
    loss,
    [...forward.parameters.keys()].map((name) => present(forward.parameters.get(name), name)),
  );
  const saved = new Set<Value>();
  for (const node of graph.nodes) {
    if (made.has(node)) continue;
    for (const value of node.inputs) {
      // A head's two derivatives are counted with the head; views share the memory of what they show.
      const counted =
        made.has(value.node) && !["input", "scalar", "reshape", "linearCrossEntropy"].includes(value.node.op);
      if (counted) saved.add(value);
    }
  }
  return [...saved];
}
