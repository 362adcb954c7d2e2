/**
 * The tokenizer of a model directory, out of all files that say something of it.
 * May not know: templates, tensors, weights.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { readInput } from "../util/input.js";
import { LARGEST_JSON, parseJsonBytes, readJson } from "../util/json.js";
import { ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER, TOKENIZER_CONFIG } from "../util/model-files.js";
import { type DeclaredTokens, declaredTokens } from "./declared-tokens.js";
import { tokenizerFromJson } from "./huggingface.js";
import type { Tokenizer } from "./tokenizer.js";
import { flaggedSpecial } from "./tokenizer-json.js";

export interface TokenizerOfFiles {
  readonly tokenizer: Tokenizer;
  readonly declared: DeclaredTokens;
  /** sha256 of tokenizer.json, and of what files beside it add to it where they do: tokens, and which ones are special. */
  readonly hash: string;
}

/** @throws UserError  a file is missing or malformed, or names something that would not be done exactly */
export async function readTokenizer(directory: string): Promise<TokenizerOfFiles> {
  const path = join(directory, TOKENIZER);
  const bytes = await readInput(path, { most: LARGEST_JSON });
  const json = parseJsonBytes(bytes, path);
  const beside = {
    config: await readIfThere(join(directory, TOKENIZER_CONFIG)),
    specialTokensMap: await readIfThere(join(directory, SPECIAL_TOKENS_MAP)),
    addedTokens: await readIfThere(join(directory, ADDED_TOKENS)),
  };
  try {
    const declared = declaredTokens(beside);
    const tokenizer = tokenizerFromJson(json, beside);
    const [own, { added }, made] = [sha256(bytes), declared, madeSpecial(json, declared, tokenizer)];
    const said = [
      ...(added.length === 0 ? [] : [JSON.stringify(added)]),
      ...(made.length === 0 ? [] : [`special ${JSON.stringify(made)}`]),
    ];
    return { tokenizer, declared, hash: said.length === 0 ? own : sha256([own, ...said].join("\n")) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      error.message.replace(OWN_FILE, (name) => join(directory, name)),
      { remedy: error.remedy ?? "take the tokenizer.json that belongs to the model, or another model", cause: error },
    );
  }
}

/** Ids that are special by a name or a list beside `tokenizer.json` alone, whatever the flags of the tokens themselves say. */
function madeSpecial(json: unknown, { added, special }: DeclaredTokens, tokenizer: Tokenizer): readonly number[] {
  const flagged = flaggedSpecial(json);
  const own = new Set(added.flatMap((token) => (token.special ? [token.content] : [])));
  const made = [...special].filter((content) => !flagged.has(content) && !own.has(content));
  const ids = made.map((content) => tokenizer.idOf(content)).filter((id) => id !== undefined);
  return ids.sort((a, b) => a - b);
}

/** What messages begin with that do not know where the file lies. */
const OWN_FILE = /^(tokenizer|tokenizer_config|added_tokens|special_tokens_map)\.json(?=: )/;

const readIfThere = async (path: string): Promise<unknown> => (existsSync(path) ? readJson(path) : undefined);
