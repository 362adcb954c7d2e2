/**
 * The ids that end an answer: the EOS, and what a model directory lists beside it.
 * May not know: templates, tensors.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { readJson } from "../util/json.js";
import { modelDirectory } from "../util/model-directory.js";
import { GENERATION_CONFIG } from "../util/model-files.js";
import type { TextModel } from "./tokenizer.js";

const tokenId = z.number().int().nonnegative();
const generationConfig = z.looseObject({ eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish() });

/** The EOS, and what `generation_config.json` lists beside it, as Transformers does. */
export async function stopIdsOf(model: string, { eosId }: TextModel): Promise<number[]> {
  const path = join(modelDirectory(model), GENERATION_CONFIG);
  if (!existsSync(path)) return [eosId];
  const parsed = generationConfig.safeParse(await readJson(path));
  if (!parsed.success) {
    throw new UserError(`${path}: eos_token_id is neither an id nor a list of ids`, {
      remedy: "correct it, or remove it",
    });
  }
  return [...new Set([eosId, ...[parsed.data.eos_token_id ?? []].flat()])];
}
