/**
 * One door for weights on disk: a model directory (safetensors, sharded or not) or a single file (safetensors, GGUF,
 * llama2.c).
 * May not know: model families.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { modelDirectory } from "../util/model-directory.js";
import { WEIGHTS, WEIGHTS_INDEX } from "../util/model-files.js";
import { refuseNoWeights } from "../util/model-kinds.js";
import { openGguf } from "./gguf.js";
import { openLlama2c } from "./llama2c.js";
import { openSafetensors, openShards } from "./safetensors.js";
import type { PiecewiseStore, WeightStore } from "./weight-store.js";

/**
 * Opens the weights of a model directory, of the model in this package (`glasshouse`), or of one file.
 * Headers are read and checked here; values only by `read`. Close the store when done.
 * @throws UserError  nothing there, no weights in it, or damaged ones
 */
export async function openWeights(model: string): Promise<WeightStore> {
  const path = modelDirectory(model);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return openDirectoryWeights(path);
  if (path.endsWith(".safetensors")) return openSafetensors(path);
  if (path.endsWith(".gguf")) return openGguf(path);
  if (path.endsWith(".bin")) return openLlama2c(path);
  throw new UserError(`${path} is neither a model directory nor a .safetensors, .gguf or llama2.c .bin file`, {
    remedy: "name a model directory",
  });
}

/** @throws UserError  no directory, no weights in it, or damaged ones */
export async function openDirectoryWeights(directory: string): Promise<PiecewiseStore> {
  // Transformers prefers the single file where both are there.
  if (existsSync(join(directory, WEIGHTS))) return openSafetensors(join(directory, WEIGHTS));
  if (existsSync(join(directory, WEIGHTS_INDEX))) return openShards(directory);
  return refuseNoWeights(directory);
}
