/**
 * What the embedded engine refuses to tune, said before anything starts: rows that the model cannot see, runs that do not fit.
 * May not know: data sets, templates, the command line's parsing.
 */

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Training, TuneRun } from "../engine/tuning.js";
import { epochFolder, isEpochFolder, isModelFile } from "../model-files/write.js";
import type { Model } from "../models/model.js";
import { parameterCount } from "../models/open.js";
import type { Row, Rows } from "../records/row.js";
import { CHECKPOINT_BYTES_PER_PARAMETER } from "../train/state.js";
import { refuseStrangers } from "../util/directories.js";
import { invariant, UserError } from "../util/errors.js";
import { bytesBelow } from "../util/files.js";
import { formatBytes } from "../util/progress.js";
import { option, words } from "../util/words.js";

/**
 * @param directory  the model's, for the message
 * @throws UserError  an id outside the vocabulary, or more ids than the model has positions
 */
export function refuseForeignRows(model: Model, rows: readonly Row[], directory: string): void {
  const { vocabSize, maxPositions } = model.dims;
  for (const { id, inputIds } of rows) {
    const foreign = inputIds.find((token) => token >= vocabSize);
    if (foreign !== undefined) {
      throw new UserError(`row ${id} has id ${foreign}; the model has ${vocabSize} entries`, {
        remedy: `render with the tokenizer of ${directory}`,
      });
    }
    if (inputIds.length - 1 > maxPositions) {
      throw new UserError(`row ${id} has ${inputIds.length} ids; the model has ${maxPositions} positions`, {
        remedy: words`pass ${option("maxLength", maxPositions)}`,
      });
    }
  }
}

/** Rows that are made later are looked at when they are. Those of an array were looked at before. */
export function refusingForeign(model: Model, rows: Rows, directory: string): Rows {
  if (!("longest" in rows)) return rows;
  const at = (index: number): Row => {
    const row = rows.at(index);
    refuseForeignRows(model, [row], directory);
    invariant(row.inputIds.length <= rows.longest.inputIds.length, `row ${row.id} is longer than the longest`);
    return row;
  };
  return { length: rows.length, longest: rows.longest, at };
}

/** @param free bytes on the disk of the output */
export function refuseFullDisk(model: Model, options: Training, free: number): void {
  const parameters = parameterCount(model);
  const checkpoints = 2 * CHECKPOINT_BYTES_PER_PARAMETER * parameters; // the next one is written before the last is removed
  const models = 4 * parameters * (options.saveEveryEpoch ? 1 + options.epochs : 1);
  if (checkpoints + models <= free) return;
  throw new UserError(
    `tuning needs about ${formatBytes(checkpoints + models)} on the disk (two checkpoints ${formatBytes(checkpoints)}, ` +
      `the tuned model ${formatBytes(models)}); ${formatBytes(free)} are free`,
    { remedy: words`free some, or name an ${option("out")} on another disk` },
  );
}

/** @throws UserError  somebody keeps files of their own where a model of this run's is to be written */
export async function refuseForeignEpochs(out: string, epochs: number): Promise<void> {
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const folder = join(out, epochFolder(epoch));
    if (existsSync(folder)) await refuseStrangers(folder, isModelFile);
  }
}

/** Bytes of a run before that this one resumes from, or removes before it writes: they are part of what it needs. */
export async function heldDisk(
  { out, checkpoints, resume }: Pick<TuneRun, "out" | "checkpoints" | "resume">,
  { saveEveryEpoch }: Pick<Training, "saveEveryEpoch">,
): Promise<number> {
  if (!existsSync(out)) return 0;
  const counts = (name: string): boolean =>
    name === basename(checkpoints) ||
    (isEpochFolder(name) && (saveEveryEpoch || !resume)) ||
    (isModelFile(name) && !resume);
  const held = (await readdir(out)).filter(counts).map((name) => join(out, name));
  const bytes = await Promise.all(held.map(bytesBelow));
  return bytes.reduce((total, one) => total + one, 0);
}
