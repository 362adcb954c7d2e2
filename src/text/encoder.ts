/**
 * Texts as an encoder takes them: the ids of one text with what the tokenizer puts around it, cut to what the model can see.
 * May not know: templates, tensors.
 */
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { TOKENIZER } from "../util/model-files.js";
import { readTokenizer } from "./tokenizer-files.js";

export interface EncoderText {
  /** @returns `cut`: the text had more ids than `maxTokens`, and lost some at its end */
  encode(text: string, maxTokens: number): { readonly ids: number[]; readonly cut: boolean };
  /** Of the tokenizer, for records. */
  readonly hash: string;
}

/** @throws UserError  no tokenizer.json, one that is not supported, or one that would turn the empty text into nothing */
export async function loadEncoderText(directory: string): Promise<EncoderText> {
  const path = join(directory, TOKENIZER);
  const { tokenizer, hash } = await readTokenizer(directory);
  const around = tokenizer.encode("").length;
  if (around === 0) {
    throw new UserError(`${path} puts nothing around a text, so an empty one has no vector`, {
      remedy: "encoders have a post_processor such as [CLS] … [SEP]",
    });
  }
  const probe = tokenizer.encode("a");
  const [inner] = tokenizer.encode("a", { special: false });
  const after = around - Math.max(0, inner === undefined ? around : probe.indexOf(inner));
  return {
    hash,
    encode(text, maxTokens) {
      const ids = tokenizer.encode(text);
      if (ids.length <= maxTokens) return { ids, cut: false };
      return { ids: [...ids.slice(0, maxTokens - after), ...ids.slice(ids.length - after)], cut: true };
    },
  };
}
