/**
 * An encoder's directory held by the embedded engine: one program from ids to pooled vectors.
 *
 * Texts are padded to a multiple of `STEP` tokens and share a batch only with texts of the same padded length, so that a text's sums
 * have lengths that it alone decides, and its vector the same bits in any company.
 * May not know: texts, what vectors are for.
 */

import type { LoadedEncoder } from "../engine/engine.js";
import type { EmbedRequest, EmbedResult } from "../engine/requests.js";
import { checkIds } from "../engine/requests.js";
import { add, createGraph, input, matmul, reshape, softmax } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { liveFor } from "../graph/live.js";
import type { Value } from "../graph/ops.js";
import { openEncoder } from "../models/encoders/open.js";
import { MASKED } from "../models/layers.js";
import type { Attend, Model } from "../models/model.js";
import { readParameter } from "../models/open.js";
import { ropeFeeds } from "../models/rope.js";
import type { Pooling } from "../records/similarity.js";
import { createCpuDevice } from "../runtime/cpu.js";
import type { Device, Program, Tensor } from "../runtime/device.js";
import { invariant, present } from "../util/errors.js";
import { refuseTooLargeHere } from "./memory-checks.js";

/** Lengths are multiples of this. */
const STEP = 16;
/** Tokens computed at once, padding included; one text may have more. */
const BATCH_TOKENS = 4096;
/** Bounds the attention scores of one batch: B · T². */
const BATCH_PAIRS = 2 ** 20;

/** @throws UserError  no such model, or no encoder that is read here */
export async function loadEncoder(
  directory: string,
  { threads, pooling }: { threads: number; pooling: Pooling },
): Promise<LoadedEncoder> {
  await refuseTooLargeHere(directory, { for: "embedding" });
  const device = createCpuDevice(threads);
  const opened = await openEncoder(directory);
  try {
    const { model } = opened;
    const { graph, outputs, parameters } = encoderGraph(model);
    checkGraph(graph);
    const live = liveFor(graph, [...outputs.values()]);
    const baked: Record<string, Tensor> = {};
    for (const { name, shape } of model.parameters) {
      if (!live.values.has(present(parameters.get(name), name))) continue;
      baked[name] = device.fromFloats(await readParameter(opened, name), shape);
    }
    const program = await device.compile(graph, outputs, { baked });
    return held({ model, device, program, pooling });
  } finally {
    await opened.weights.close();
  }
}

/** Named sizes: B texts of T tokens. Inputs: `ids`, `positions`, `mask` [B,1,1,T] added to scores, `pool` [B,1,T] weights. */
function encoderGraph(model: Model) {
  const graph = createGraph();
  const ids = reshape(input(graph, "ids", "i64", ["B", "T"]), ["B*T"]);
  const positions = input(graph, "positions", "i64", ["B", "T"]);
  const mask = input(graph, "mask", "f32", ["B", 1, 1, "T"]);
  const pool = input(graph, "pool", "f32", ["B", 1, "T"]);
  const attend: Attend = (q, k, v, { scale }) =>
    matmul(softmax(add(matmul(q, k, { transB: true, alpha: scale }), mask)), v);
  const { hidden, parameters } = model.forward(graph, { ids, batch: "B", time: "T", positions, attend });
  const width = model.dims.hiddenSize;
  const pooled = reshape(matmul(pool, reshape(hidden, ["B", "T", width])), ["B", width]);
  return { graph, outputs: new Map<string, Value>([["pooled", pooled]]), parameters };
}

interface Running {
  readonly model: Model;
  readonly device: Device;
  readonly program: Program;
  readonly pooling: Pooling;
}

function held(running: Running): LoadedEncoder {
  const { hiddenSize, maxPositions } = running.model.dims;
  return {
    dimensions: hiddenSize,
    maxPositions,
    async *embed(requests, { signal } = {}) {
      for (const batch of batchesOf(requests)) {
        signal?.throwIfAborted();
        yield* await embedBatch(running, batch);
      }
    },
    async close() {
      await running.program[Symbol.asyncDispose]();
    },
  };
}

const paddedLength = ({ ids }: EmbedRequest): number => Math.ceil(ids.length / STEP) * STEP;

/** Shortest first; texts of one padded length in the order in which they came. */
export function batchesOf(requests: readonly EmbedRequest[]): EmbedRequest[][] {
  const byLength = new Map<number, EmbedRequest[]>();
  for (const request of requests) {
    const length = paddedLength(request);
    const group = byLength.get(length) ?? [];
    group.push(request);
    byLength.set(length, group);
  }
  return [...byLength]
    .sort(([a], [b]) => a - b)
    .flatMap(([length, group]) => {
      const size = Math.max(1, Math.floor(Math.min(BATCH_TOKENS / length, BATCH_PAIRS / length ** 2)));
      return Array.from({ length: Math.ceil(group.length / size) }, (_, i) => group.slice(i * size, (i + 1) * size));
    });
}

async function embedBatch({ model, device, program, pooling }: Running, batch: readonly EmbedRequest[]) {
  const { hiddenSize, maxPositions, vocabSize } = model.dims;
  const rows = batch.length;
  const time = paddedLength(present(batch[0], "text"));
  const [ids, positions] = [new Array<number>(rows * time).fill(0), new Array<number>(rows * time).fill(0)];
  const [mask, pool] = [new Float32Array(rows * time).fill(MASKED), new Float32Array(rows * time)];
  batch.forEach((request, row) => {
    const length = request.ids.length;
    invariant(length > 0 && length <= maxPositions, `${length} ids for ${maxPositions} positions`);
    checkIds(request.ids, vocabSize, `text ${request.id}`);
    request.ids.forEach((id, i) => {
      ids[row * time + i] = id;
      positions[row * time + i] = i;
      mask[row * time + i] = 0;
      if (pooling === "mean") pool[row * time + i] = 1 / length;
    });
    if (pooling === "cls") pool[row * time] = 1;
  });
  const results = await program.run({
    ...ropeFeeds(model, device, time),
    ids: device.fromInts(ids, [rows, time]),
    positions: device.fromInts(positions, [rows, time]),
    mask: device.fromFloats(mask, [rows, 1, 1, time]),
    pool: device.fromFloats(pool, [rows, 1, time]),
  });
  const pooled = await device.floats(present(results.pooled, "pooled"));
  return batch.map(({ id }, row): EmbedResult => {
    return { id, vector: pooled.slice(row * hiddenSize, (row + 1) * hiddenSize) };
  });
}
