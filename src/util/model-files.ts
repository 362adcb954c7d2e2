/**
 * The files of a model directory that decide what its model says: whoever reads one takes its name from here, and `hashModel` counts
 * every one of them. `test/model-files.test.ts` records what is read and holds it against this list.
 * May not know: what is in them.
 */

export const CONFIG = "config.json";
export const GENERATION_CONFIG = "generation_config.json";
export const TOKENIZER = "tokenizer.json";
export const TOKENIZER_CONFIG = "tokenizer_config.json";
export const SPECIAL_TOKENS_MAP = "special_tokens_map.json";
export const ADDED_TOKENS = "added_tokens.json";
export const WEIGHTS = "model.safetensors";
export const WEIGHTS_INDEX = "model.safetensors.index.json";

const DECIDING: readonly string[] = [
  CONFIG,
  GENERATION_CONFIG,
  TOKENIZER,
  TOKENIZER_CONFIG,
  SPECIAL_TOKENS_MAP,
  ADDED_TOKENS,
  WEIGHTS_INDEX,
];

/**
 * Whether a file of that name decides what the model says. Shards are called as their index likes, so every `.safetensors` counts: the name
 * alone says it, also of a folder whose index is missing or damaged. One that has nothing to do with the model makes its answers be computed
 * again, which costs time; one that was left out by mistake would let stale answers pass for new ones.
 */
export const decidesAnswers = (name: string): boolean => DECIDING.includes(name) || name.endsWith(".safetensors");
