/**
 * What a use of a model takes here: memory, from its configuration alone, and time, from the speed of a matrix product on this machine.
 * May not know: texts, the command line.
 */

import { defaultBatch, rowBytes, weightBytes } from "../decode/memory.js";
import type { ModelUse, Plan } from "../engine/opened.js";
import type { Precision } from "../engine/requests.js";
import { type Training, TUNING_BYTES_PER_PARAMETER } from "../engine/tuning.js";
import type { Model } from "../models/model.js";
import { parameterCount } from "../models/open.js";
import { type Row, representatives } from "../records/row.js";
import { multiplyOnce } from "../runtime/multiply.js";
import { batchShapes, type MemoryEstimate, memoryEstimator } from "../train/memory.js";
import { largestMicroBatch } from "../train/trainer.js";
import { invariant } from "../util/errors.js";
import { formatBytes } from "../util/progress.js";
import { availableMemory } from "../util/system.js";
import { option, type Words, words } from "../util/words.js";
import type { Settings } from "./settings.js";

/** How a model is computed with, and the memory that there is for it: by default what this machine has free. */
export type Machine = Pick<Settings, "precision" | "threads"> & { readonly freeBytes?: number };

type Memory = Omit<Plan, "tokensPerSecond" | "freeBytes">;

/** Floating-point operations for each parameter and token. */
const OPERATIONS = { generating: 2, scoring: 2, tuning: 6, embedding: 2 } as const;
/** Shares of the matrix product's speed that were reached on a model of 268 million parameters (docs/decisions/studies.md). */
const EFFICIENCY = { generating: 0.35, scoring: 0.5, tuning: 0.6, embedding: 0.3 } as const;

export function planUse(model: Model, use: ModelUse, machine: Machine): Plan {
  const { freeBytes = availableMemory().free, precision } = machine;
  return {
    ...(use.for === "tuning" ? tuning(model, use, freeBytes) : running(model, use, precision, freeBytes)),
    freeBytes,
    tokensPerSecond: () => speed(model, use.for, machine),
  };
}

/** An encoder's weights lie there as they are read, and in the program. */
export function planEmbedding(model: Model, machine: Machine): Plan {
  return {
    purpose: "embedding",
    bytes: 2 * Float32Array.BYTES_PER_ELEMENT * parameterCount(model),
    freeBytes: machine.freeBytes ?? availableMemory().free,
    tokensPerSecond: () => speed(model, "embedding", machine),
  };
}

async function speed(model: Model, use: keyof typeof OPERATIONS, { threads }: Machine): Promise<number> {
  const { gigaflops } = await measured(threads);
  return (gigaflops * 1e9 * EFFICIENCY[use]) / (OPERATIONS[use] * parameterCount(model));
}

const products = new Map<number, ReturnType<typeof multiplyOnce>>();

/** One measurement a process. */
function measured(threads: number): ReturnType<typeof multiplyOnce> {
  const known = products.get(threads) ?? multiplyOnce(threads);
  products.set(threads, known);
  return known;
}

type Running = Exclude<ModelUse, { for: "tuning" }>;

function running(model: Model, use: Running, precision: Precision, free: number): Memory {
  const weights = weightBytes(model, precision);
  if (use.for === "scoring") {
    const bytes = weights + rowBytes(model.dims, { positions: 0, promptPositions: 0 });
    return { purpose: "running", bytes, smaller: () => rounded(model, use, precision, free) };
  }
  const { promptTokens, maxNewTokens } = use;
  const longest = promptTokens.reduce((most, tokens) => Math.max(most, tokens), 0);
  // What is certain to be needed: an answer may be short.
  const row = rowBytes(model.dims, { positions: longest, promptPositions: longest });
  const rows = Math.min(use.batch ?? 1, promptTokens.length);
  const bytes = weights + rows * row;
  const plan = { freeBytes: free, weightBytes: weights, positions: longest + maxNewTokens, promptPositions: longest };
  const batch = use.batch ?? Math.min(defaultBatch(model.dims, plan), promptTokens.length);
  const fitting = Math.floor((free - weights) / row);
  const smaller = (): Words | undefined =>
    fitting >= 1 ? words`pass ${option("batch", fitting)}, which fits` : rounded(model, use, precision, free);
  return { purpose: "running", bytes, batch, smaller };
}

/** The same in 8 bits, where that fits. */
function rounded(model: Model, use: Running, precision: Precision, free: number): Words | undefined {
  if (precision === "q8") return undefined;
  const one = use.for === "generating" ? { ...use, batch: 1 } : use;
  const { bytes } = running(model, one, "q8", Number.POSITIVE_INFINITY);
  const several = use.for === "generating" && Math.min(use.batch ?? 1, use.promptTokens.length) > 1;
  return bytes > free
    ? undefined
    : words`pass ${option("precision", "q8")}${several ? words` ${option("batch", 1)}` : ""}, which needs about ${formatBytes(bytes)}`;
}

function tuning(model: Model, { work }: Extract<ModelUse, { for: "tuning" }>, free: number): Memory {
  if (work === undefined) return { purpose: "tuning", bytes: TUNING_BYTES_PER_PARAMETER * parameterCount(model) };
  const { options, heldOut } = work;
  const rows = representatives(work.rows, options.batch);
  const { total, ...parts } = runMemory(model, rows, options, heldOut);
  const { adam, activations, ...rest } = parts;
  const smaller = (): Words => fittingOptions(model, rows, options, heldOut, free);
  return { purpose: "tuning", bytes: total, parts: { ...rest, Adam: adam, activations }, smaller };
}

/** The most that a run over `rows` will need at one time. */
export function runMemory(
  model: Model,
  rows: readonly Row[],
  options: Training,
  heldOut: readonly Row[],
): MemoryEstimate {
  const estimate = memoryEstimator(model, largestMicroBatch(rows, options.microTokens), {
    heldOut: batchShapes(heldOut, { batch: heldOut.length, microTokens: options.microTokens }),
    recompute: options.recompute ?? false,
  });
  const [first, ...others] = batchShapes(rows, options).map(estimate);
  invariant(first !== undefined, "no row to train on");
  return others.reduce((most, one) => (one.total > most.total ? one : most), first);
}

/** The same run with options that take less, the largest that fits first. */
function fittingOptions(
  model: Model,
  rows: readonly Row[],
  options: Training,
  heldOut: readonly Row[],
  free: number,
): Words {
  const totalWith = (changes: Partial<Training>): number =>
    runMemory(model, rows, { ...options, ...changes }, heldOut).total;
  const fits = [false, true]
    .flatMap((recompute) => [
      ...(recompute ? [{ change: words`${option("recompute")}`, total: totalWith({ recompute }) }] : []),
      ...[8192, 4096, 2048, 1024, 512, 256, 128]
        .filter((microTokens) => microTokens < options.microTokens)
        .map((microTokens) => ({
          change: words`${option("microTokens", microTokens)}${recompute ? words` ${option("recompute")}` : ""}`,
          total: totalWith({ microTokens, ...(recompute ? { recompute } : {}) }),
        })),
    ])
    .find(({ total }) => total <= free);
  if (fits === undefined) return words`take a smaller model or shorter rows (${option("maxLength")})`;
  return words`pass ${fits.change}, which needs about ${formatBytes(fits.total)}`;
}
