/**
 * The only importer of `@huggingface/tokenizers`. We take from it what is hard to write and right there: the translation
 * of Oniguruma regular expressions to JavaScript's. Its encoder differs from the Rust core (docs/decisions/tokenizer.md),
 * so ours stands in its place.
 * May not know: anything but patterns.
 */
import * as library from "@huggingface/tokenizers";
import { reasonOf, UserError } from "../util/errors.js";

interface SplitPreTokenizer {
  readonly pattern: RegExp | null;
}

/** A pattern as tokenizer.json writes it, `{ String }` or `{ Regex }` (Oniguruma), as a global Unicode expression. */
export function compilePattern(pattern: { String: string } | { Regex: string }): RegExp {
  if ("String" in pattern) return new RegExp(pattern.String.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "gu");
  const { SplitPreTokenizer } = library as unknown as {
    SplitPreTokenizer: new (config: object) => SplitPreTokenizer;
  };
  try {
    const compiled = new SplitPreTokenizer({ type: "Split", pattern, behavior: "Isolated", invert: false }).pattern;
    if (compiled !== null) return compiled;
  } catch (error) {
    throw new UserError(`tokenizer.json: cannot use the pattern ${JSON.stringify(pattern.Regex)}: ${reasonOf(error)}`);
  }
  throw new UserError(`tokenizer.json: cannot use the pattern ${JSON.stringify(pattern.Regex)}`);
}
