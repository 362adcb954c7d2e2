/**
 * One door for weights on disk: a model directory (safetensors, sharded or not) or a single file (safetensors, GGUF,
 * llama2.c).
 * May not know: model families.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { modelDirectory, NAME_A_MODEL } from "../util/model-directory.js";
import { openGguf } from "./gguf.js";
import { openLlama2c } from "./llama2c.js";
import { INDEX_FILE, openSafetensors, openShards, SINGLE_FILE } from "./safetensors.js";
import type { WeightStore } from "./weight-store.js";

/**
 * Opens the weights of a model directory, of the model in this package (`glasshouse`), or of one file.
 * Headers are read and checked here; values only by `read`. Close the store when done.
 * @throws UserError  nothing there, no weights in it, or damaged ones
 */
export async function openWeights(model: string): Promise<WeightStore> {
  const path = modelDirectory(model);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new UserError(`${path} does not exist`, { remedy: NAME_A_MODEL });
  if (status.isDirectory()) {
    // Transformers prefers the single file where both are there.
    if (existsSync(join(path, SINGLE_FILE))) return openSafetensors(join(path, SINGLE_FILE));
    if (existsSync(join(path, INDEX_FILE))) return openShards(path);
    throw new UserError(`${path} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}`, {
      remedy: existsSync(join(path, "pytorch_model.bin"))
        ? "pickled weights are not read; convert them to safetensors"
        : "name a model directory, or turn a GGUF file into one with `tacit models import`",
    });
  }
  if (path.endsWith(".safetensors")) return openSafetensors(path);
  if (path.endsWith(".gguf")) return openGguf(path);
  if (path.endsWith(".bin")) return openLlama2c(path);
  throw new UserError(`${path} is neither a model directory nor a .safetensors, .gguf or llama2.c .bin file`, {
    remedy: "name a model directory",
  });
}
