/**
 * Reads the tokenizer of a model directory and the control ids that go with it.
 * May not know: templates, tensors, weights.
 */
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { CONFIG } from "../util/model-files.js";
import { requireConfig } from "../util/model-kinds.js";
import { checked } from "../util/schema.js";
import type { TextModel, Tokenizer } from "./tokenizer.js";
import { readTokenizer } from "./tokenizer-files.js";

const idOrList = z.union([z.number().int().nonnegative(), z.array(z.number().int().nonnegative()).min(1)]);
const idsSchema = z.looseObject({
  model_type: z.string().optional(),
  eos_token_id: idOrList.nullish(),
  bos_token_id: idOrList.nullish(),
});
const configSchema = idsSchema.extend({ text_config: idsSchema.nullish() });

/**
 * @param model  a model directory (Hugging Face layout) with `tokenizer.json` and `config.json`, or `glasshouse`
 * @throws UserError  a file is missing or malformed, the EOS is unknown, or the tokenizer adds more than one BOS
 */
export async function loadTextModel(model: string): Promise<TextModel> {
  const { directory, config } = await requireConfig(model, ["tokenizer", "config"]);
  return textModelIn(directory, config);
}

/** The same where `config.json` was read before. */
export async function textModelIn(directory: string, configJson: unknown): Promise<TextModel> {
  const config = checked(configSchema, configJson, join(directory, CONFIG), "correct it there");
  const { tokenizer, declared, hash } = await readTokenizer(directory);
  const ids = { ...config.text_config, ...withoutNull(config) };
  return {
    tokenizer,
    bosId: bosOfEmptyText(tokenizer, directory),
    declaredBosId: firstOf(ids.bos_token_id) ?? idOf(tokenizer, declared.named.bos_token),
    eosId: eosId(tokenizer, ids.eos_token_id, idOf(tokenizer, declared.named.eos_token), directory),
    modelType: config.model_type ?? "",
    hash,
  };
}

/** A multimodal config keeps what concerns text one level down; the outer level counts where it says something. */
function withoutNull(config: z.infer<typeof configSchema>): Partial<z.infer<typeof idsSchema>> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null && value !== undefined));
}

/** What the post-processor puts in front of any text; what flags elsewhere say does not count. */
function bosOfEmptyText(tokenizer: Tokenizer, directory: string): number | undefined {
  const ids = tokenizer.encode("");
  if (ids.length > 1) {
    throw new UserError(`${directory}: the tokenizer adds ${ids.length} tokens to every text, not one BOS`, {
      remedy: "remove what its post_processor adds beyond a BOS token",
    });
  }
  const [bos] = ids;
  if (bos !== undefined && tokenizer.encode("a")[0] !== bos) {
    throw new UserError(`${directory}: the tokenizer appends ${tokenizer.piece(bos)} to every text`, {
      remedy: "remove it from the post_processor: the EOS is added by the template",
    });
  }
  return bos;
}

/**
 * The one id that ends a response. config.json counts first; where it lists several (chat models: end of turn, end of
 * text), the one that tokenizer_config.json calls `eos_token`, else the first.
 */
function eosId(
  tokenizer: Tokenizer,
  configured: z.infer<typeof idOrList> | null | undefined,
  declared: number | undefined,
  directory: string,
): number {
  const listed = configured === null || configured === undefined ? [] : [configured].flat();
  const id = declared !== undefined && listed.includes(declared) ? declared : (listed[0] ?? declared);
  if (id === undefined) {
    throw new UserError(`${directory} names no end-of-sequence token`, {
      remedy: "give eos_token_id in config.json or eos_token in tokenizer_config.json",
    });
  }
  if (tokenizer.piece(id) === undefined) {
    throw new UserError(`${directory}: eos_token_id is ${id}, which tokenizer.json does not hold`, {
      remedy: "correct eos_token_id in config.json",
    });
  }
  return id;
}

const firstOf = (ids: z.infer<typeof idOrList> | null | undefined): number | undefined => [ids ?? []].flat()[0];

const idOf = (tokenizer: Tokenizer, piece: string | null | undefined): number | undefined =>
  typeof piece === "string" ? tokenizer.idOf(piece) : undefined;
