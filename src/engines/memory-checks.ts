/**
 * Whether a model fits into memory, said from its configuration alone, before weights are read or hashed.
 * May not know: texts, the command line.
 */
import { rowBytes, weightBytes } from "../decode/memory.js";
import { readEncoderConfig } from "../models/encoders/open.js";
import type { Model } from "../models/model.js";
import { parameterCount, readModelConfig } from "../models/open.js";
import { TUNING_BYTES_PER_PARAMETER } from "../train/memory.js";
import { UserError } from "../util/errors.js";
import { formatBytes } from "../util/progress.js";
import { availableMemory } from "../util/system.js";
import { quoted, shorten } from "../util/terminal.js";
import type { ModelUse } from "./engine.js";

/** @throws UserError  the model does not fit into what this machine has free */
export async function refuseTooLargeHere(directory: string, use: ModelUse): Promise<void> {
  const model = await (use.for === "embedding" ? readEncoderConfig(directory) : readModelConfig(directory));
  refuseTooLargeToHold(model, directory, use, availableMemory().free);
}

/** @param free bytes of memory */
export function refuseTooLargeToHold(model: Model, directory: string, use: ModelUse, free: number): void {
  const need = neededBytes(model, use);
  if (need <= free) return;
  throw new UserError(
    `${quoted(shorten(directory, 200))} needs about ${formatBytes(need)} of memory for ${use.for}; ${formatBytes(free)} are free`,
    { remedy: remedyFor(model, use, free) },
  );
}

function neededBytes(model: Model, use: ModelUse): number {
  if (use.for === "tuning") return TUNING_BYTES_PER_PARAMETER * parameterCount(model);
  if (use.for === "embedding") return 2 * Float32Array.BYTES_PER_ELEMENT * parameterCount(model); // as read, and in the program
  const { precision, rows = 1, positions = 0 } = use;
  return weightBytes(model, precision) + rows * rowBytes(model.dims, { positions, promptPositions: positions });
}

const LARGER = "take a smaller model, or a machine with more memory";

function remedyFor(model: Model, use: ModelUse, free: number): string {
  if (use.for !== "running") return LARGER;
  const { rows = 1 } = use;
  const fits = (other: Partial<Extract<ModelUse, { for: "running" }>>): boolean =>
    neededBytes(model, { ...use, ...other }) <= free;
  for (let fewer = Math.floor(rows / 2); fewer >= 1; fewer = Math.floor(fewer / 2))
    if (fits({ rows: fewer })) return `compute fewer at once: a batch of ${fewer} fits`;
  if (use.precision === "f32" && fits({ rows: 1, precision: "q8" })) {
    const need = formatBytes(neededBytes(model, { ...use, rows: 1, precision: "q8" }));
    return `with precision q8 it needs about ${need}${rows > 1 ? ", one row at a time" : ""}`;
  }
  return LARGER;
}
