/**
 * How messages speak of a server: in the words of whoever asks it. A judge's address stands in its file, another's is an option.
 * May not know: what went wrong.
 */
import type { Remedies } from "./failure.js";

export interface ServerWords {
  /** "the judge". */
  readonly who: string;
  /** What holds its address: "base_url". */
  readonly address: string;
  /** What holds the model's name: "model". */
  readonly model: string;
  /** Where both stand, behind a space; or nothing: " in the judge file". */
  readonly where: string;
  /** What helps where it refuses every request for how it is made. */
  readonly refused: string;
}

/** @param variable  that holds the key, or would */
export function remediesFor(words: ServerWords, model: string, variable: string, hasKey: boolean): Remedies {
  const { address, where } = words;
  return {
    key: hasKey ? `check the key in ${variable}` : `set ${variable} to a key of this server`,
    rights: `the key in ${variable} may not use ${model}; check its rights`,
    missing: `check ${address} (mostly it ends in /v1) and ${words.model} (${model})${where}`,
    address: `check ${address}${where}`,
  };
}
