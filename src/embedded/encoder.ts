/**
 * An encoder's directory held by the embedded engine: one program from ids to pooled vectors.
 *
 * Texts are padded to a multiple of `STEP` tokens and share a batch only with texts of the same padded length, so that a text's sums
 * have lengths that it alone decides, and its vector the same bits in any company.
 * May not know: texts, what vectors are for.
 */

import type { ModelRef, OpenedEncoder } from "../engine/opened.js";
import { refuseTooLarge } from "../engine/refusals.js";
import { checkIds, type EmbedRequest, type EmbedResult } from "../engine/requests.js";
import { add, createGraph, input, matmul, reshape, softmax } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { liveFor } from "../graph/live.js";
import type { Value } from "../graph/ops.js";
import { openEncoderFolder } from "../model-files/open.js";
import { encoderSettings, openEncoder as openEncoderIn } from "../models/encoders/open.js";
import { MASKED } from "../models/layers.js";
import type { Attend, Model } from "../models/model.js";
import { type OpenModel, parameterCount, readParameter } from "../models/open.js";
import { ropeFeeds } from "../models/rope.js";
import type { Pooling } from "../records/similarity.js";
import type { Device, Program, Tensor } from "../runtime/device.js";
import { invariant, present, UserError } from "../util/errors.js";
import { option, words } from "../util/words.js";
import { planEmbedding } from "./plan.js";
import type { Settings } from "./settings.js";

/** Lengths are multiples of this. */
const STEP = 16;
/** Tokens computed at once, padding included; one text may have more. */
const BATCH_TOKENS = 4096;
/** Bounds the attention scores of one batch: B · T². */
const BATCH_PAIRS = 2 ** 20;

/** Opens an encoder's directory: nothing of its weights but their headers is read before the first text. */
export async function openEncoder(
  ref: ModelRef,
  asked: Pooling | undefined,
  settings: Settings,
): Promise<OpenedEncoder> {
  const folder = await openEncoderFolder(ref);
  const { pooling: published, maxTokens } = await encoderSettings(folder.directory);
  const pooling = asked ?? published;
  if (pooling === undefined) {
    throw new UserError(`${ref} does not say how it is pooled`, {
      remedy: words`pass ${option("pooling", "mean")}, or cls`,
    });
  }
  const opened = await openEncoderIn(folder.directory, folder.config);
  const { model } = opened;
  const plan = () => planEmbedding(model, settings);
  let program: Promise<Program> | undefined;
  const device = settings.device();
  const compiled = (): Promise<Program> => {
    program ??= compile(opened, device).catch((error: unknown) => {
      program = undefined;
      throw error;
    });
    return program;
  };
  return {
    ref,
    engine: "embedded",
    identity: async (onHashed) => ({ ...settings.identify(await folder.hash(onHashed)), precision: "f32" }),
    notes:
      published === undefined || published === pooling
        ? opened.notes
        : [...opened.notes, `the encoder was made for pooling by ${published}, not by ${pooling}`],
    text: folder.text,
    pooling,
    dims: { parameters: parameterCount(model) },
    limits: { maxTokens: Math.min(maxTokens ?? model.dims.maxPositions, model.dims.maxPositions) },
    plan,
    async *embed(requests, { signal } = {}) {
      if (program === undefined) refuseTooLarge({ ref }, plan());
      const running = { model, device, program: await compiled(), pooling };
      for (const batch of batchesOf(requests)) {
        signal?.throwIfAborted();
        yield* await embedBatch(running, batch);
      }
    },
    async [Symbol.asyncDispose]() {
      const held = await program?.catch(() => undefined);
      await held?.[Symbol.asyncDispose]();
      await opened.weights.close();
    },
  };
}

async function compile(opened: OpenModel, device: Device): Promise<Program> {
  const { model } = opened;
  const { graph, outputs, parameters } = encoderGraph(model);
  checkGraph(graph);
  const live = liveFor(graph, [...outputs.values()]);
  const baked: Record<string, Tensor> = {};
  for (const { name, shape } of model.parameters) {
    if (!live.values.has(present(parameters.get(name), name))) continue;
    baked[name] = device.fromFloats(await readParameter(opened, name), shape);
  }
  return device.compile(graph, outputs, { baked });
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
