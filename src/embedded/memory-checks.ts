/**
 * Whether a model fits into memory, said from its configuration alone, before weights are read or hashed.
 * May not know: texts, the command line.
 */

import { rowBytes, weightBytes } from "../decode/memory.js";
import type { ModelUse } from "../engine/engine.js";
import { TUNING_BYTES_PER_PARAMETER } from "../engine/tuning.js";
import { readEncoderConfig } from "../models/encoders/open.js";
import type { Model } from "../models/model.js";
import { parameterCount, readModelConfig } from "../models/open.js";
import { UserError } from "../util/errors.js";
import { formatBytes } from "../util/progress.js";
import { availableMemory } from "../util/system.js";
import { quoted, shorten } from "../util/terminal.js";
import { option, type Words, words } from "../util/words.js";

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
    { remedy: (use.for === "running" ? smaller(model, use, need, free) : undefined) ?? LARGER },
  );
}

type Running = Extract<ModelUse, { for: "running" }>;

export function neededBytes(model: Model, use: ModelUse): number {
  if (use.for === "tuning") return TUNING_BYTES_PER_PARAMETER * parameterCount(model);
  if (use.for === "embedding") return 2 * Float32Array.BYTES_PER_ELEMENT * parameterCount(model); // as read, and in the program
  return weightBytes(model, use.precision) + (use.rows ?? 1) * bytesOfRow(model, use);
}

const bytesOfRow = ({ dims }: Model, { positions = 0 }: Running): number =>
  rowBytes(dims, { positions, promptPositions: positions });

const LARGER = "take a smaller model, or a machine with more memory";

/** The same work in a way that fits, where there is one. */
function smaller(model: Model, use: Running, need: number, free: number): Words | undefined {
  const { rows = 1, precision } = use;
  const row = bytesOfRow(model, use);
  const fitting = Math.floor((free - (need - rows * row)) / row);
  if (fitting >= 1) return words`pass ${option("batch", fitting)}, which fits`;
  if (precision === "q8") return undefined;
  const rounded = neededBytes(model, { ...use, rows: 1, precision: "q8" });
  if (rounded > free) return undefined;
  return words`pass ${option("precision", "q8")}${rows > 1 ? words` ${option("batch", 1)}` : ""}, which needs about ${formatBytes(rounded)}`;
}
