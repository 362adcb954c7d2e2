/**
 * One compiled program: the loss of a micro-batch and, added onto running totals, the gradients of all parameters.
 * May not know: optimisers, steps, decoding.
 */
import { createGraph, input, linearCrossEntropy, reshape, slice } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { product } from "../graph/dims.js";
import { grad } from "../graph/grad.js";
import type { Graph, Value } from "../graph/ops.js";
import { rowsOf } from "../graph/rows.js";
import { causalAttention, causalMask } from "../models/layers.js";
import type { Forward, Model } from "../models/model.js";
import { ropeFeeds } from "../models/rope.js";
import type { Device, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";
import type { MicroBatch } from "./batches.js";

/** Logits of one chunk, in numbers: 64 Mi floats are 256 MB. */
export const CHUNK_LOGITS = 64 * 2 ** 20;

/** The same where no gradient is wanted: such a program runs while the training program keeps its memory. */
export const EVALUATED_CHUNK_LOGITS = CHUNK_LOGITS / 4;

/** Chunks that the head is cut into, so that `positions` supervised positions never have their logits in memory at once. */
export const headChunks = (vocabSize: number, positions: number, logits = CHUNK_LOGITS): number =>
  Math.max(1, Math.ceil((positions * vocabSize) / logits));

export interface LossGraph {
  readonly graph: Graph;
  readonly loss: Value;
  readonly forward: Forward;
}

/**
 * Blocks of queries along time, each `Q` positions; of all scores of attention 5/8 are computed. Eight would compute 9/16, in
 * products too small for short rows.
 */
const BLOCKS = 4;

/** Positions of a row must be a multiple of this. */
export const TIME_STEP = BLOCKS;

/** ids [B, BLOCKS, Q] and [K,C] supervised positions with target and weight → loss []. */
export function lossGraph(model: Model, chunks: number): LossGraph {
  const graph = createGraph();
  const time = product([BLOCKS, "Q"]);
  const forward = model.forward(graph, {
    ids: reshape(input(graph, "ids", "i64", ["B", BLOCKS, "Q"]), [product(["B", time])]),
    batch: "B",
    time,
    positions: reshape(input(graph, "positions", "i64", [BLOCKS, "Q"]), [1, time]),
    attend: causalAttention(blockMasks(graph), BLOCKS),
  });
  const perToken = (name: string, dtype: "i64" | "f32"): Value =>
    reshape(input(graph, name, dtype, [chunks, "C"]), [chunks === 1 ? "C" : `${chunks}*C`]);
  const rows = rowsOf(forward.hidden, perToken("rows", "i64")); // [K*C, D]
  const loss = linearCrossEntropy(rows, forward.head, perToken("targets", "i64"), perToken("weights", "f32"), chunks);
  return { graph, loss, forward };
}

/** The rows of one block out of the fed mask of a window, up to the block's end; each is cut out once. */
function blockMasks(graph: Graph): (window: number | undefined, block: number) => Value {
  const made = new Map<string, Value>();
  return (window, block) => {
    const name = maskName(window);
    const known = made.get(`${name} ${block}`);
    if (known !== undefined) return known;
    const whole = graph.inputs.get(name) ?? input(graph, name, "f32", [BLOCKS, "Q", BLOCKS, "Q"]);
    const rows = slice(slice(whole, 0, block, 1), 2, 0, block + 1);
    const mask = reshape(rows, ["Q", product([block + 1, "Q"])]);
    made.set(`${name} ${block}`, mask);
    return mask;
  };
}

const maskName = (window: number | undefined): string => (window === undefined ? "mask" : `mask.${window}`);
const totalName = (name: string): string => `total.${name}`;
const gradName = (name: string): string => `grad.${name}`;

export interface LossProgram extends AsyncDisposable {
  /** The loss of a micro-batch; where totals are given its gradients are added to them in place. */
  run(
    parameters: ReadonlyMap<string, Tensor>,
    batch: MicroBatch,
    totals?: ReadonlyMap<string, Tensor>,
  ): Promise<number>;
}

/**
 * @param options.maxPositions supervised positions that a micro-batch may have
 * @param options.recompute    keep only the input of each layer and make the rest again: less memory, a forward pass more
 */
export async function compileLoss(
  model: Model,
  device: Device,
  options: { readonly maxPositions: number; readonly gradients: boolean; readonly recompute?: boolean },
): Promise<LossProgram> {
  const logits = options.gradients ? CHUNK_LOGITS : EVALUATED_CHUNK_LOGITS;
  const chunks = headChunks(model.dims.vocabSize, options.maxPositions, logits);
  const { graph, loss, forward } = lossGraph(model, chunks);
  const outputs = new Map([["loss", loss]]);
  if (options.gradients) {
    const names = [...forward.parameters.keys()];
    const targets = names.map((name) => present(forward.parameters.get(name), name));
    const totals = targets.map((value, i) =>
      input(graph, totalName(present(names[i], "name")), "f32", value.type.shape),
    );
    grad(loss, targets, totals, { recompute: options.recompute ?? false }).forEach((value, i) => {
      outputs.set(gradName(present(names[i], "name")), value);
    });
  }
  checkGraph(graph);
  const program = await device.compile(graph, outputs, { inPlace: true });
  const feedsFor = batchFeeds(model, device, chunks);
  const sum = device.zeros([]);
  return {
    async run(parameters, batch, totals = new Map()) {
      const named = (rename: (name: string) => string): Record<string, Tensor> =>
        Object.fromEntries([...totals].map(([name, tensor]) => [rename(name), tensor]));
      const feeds = { ...Object.fromEntries(parameters), ...feedsFor(batch), ...named(totalName) };
      await program.run(feeds, { loss: sum, ...named(gradName) });
      return present((await device.floats(sum))[0], "loss");
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

const blocked = (time: number): readonly [number, number] => [BLOCKS, time / BLOCKS];

/**
 * Everything a run needs besides parameters. Masks and rope tables are kept for the width of the batch before alone: the batches of a
 * step come in order of their widths, and the masks of all widths up to 2,048 would take more than a gigabyte.
 */
function batchFeeds(model: Model, device: Device, chunks: number): (batch: MicroBatch) => Record<string, Tensor> {
  let before: { readonly time: number; readonly feeds: Record<string, Tensor> } | undefined;
  const forWidth = (time: number): Record<string, Tensor> => {
    const feeds: Record<string, Tensor> = {
      positions: device.fromInts(
        // Padding may go beyond the last position that the model has; nothing of it is read.
        Array.from({ length: time }, (_, i) => Math.min(i, model.dims.maxPositions - 1)),
        blocked(time),
      ),
    };
    for (const window of new Set(model.dims.windows))
      feeds[maskName(window)] = device.fromFloats(causalMask(time, window), [...blocked(time), ...blocked(time)]);
    return { ...feeds, ...ropeFeeds(model, device, time) };
  };
  return (batch) => {
    if (before?.time !== batch.time) before = { time: batch.time, feeds: forWidth(batch.time) };
    const width = Math.max(1, Math.ceil(batch.positions.length / chunks));
    const padded = (values: readonly number[]): number[] =>
      Array.from({ length: chunks * width }, (_, i) => values[i] ?? 0); // weight 0: no part in loss or gradient
    return {
      ...before.feeds,
      ids: device.fromInts(batch.ids, [batch.rows, ...blocked(batch.time)]),
      rows: device.fromInts(padded(batch.positions), [chunks, width]),
      targets: device.fromInts(padded(batch.targets), [chunks, width]),
      weights: device.fromFloats(Float32Array.from(padded(batch.weights)), [chunks, width]),
    };
  };
}
