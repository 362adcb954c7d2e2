/**
 * Kinds of options that several calls have, with the ranges that the command line has.
 * May not know: any call.
 */
import { call, either, having, type Kind, namedBy, needed, oneOf, shaped, text, whole } from "../util/options.js";

export const signal: Kind = { wanted: "an AbortSignal", holds: (value) => value instanceof AbortSignal };
export const path = text;
export const count = whole({ min: 1 });
export const limit = either(count, oneOf("all"));
export const seed = whole({ min: 0 });
export const threads = whole({ min: 1, max: 1024 });
export const precision = oneOf("f32", "q8");
export const bos = oneOf("auto", "always", "never");
export const preset = oneOf("paper", "reference");
export const template = shaped(
  { name: needed(text), userTag: needed(text), assistantTag: needed(text) },
  "a template, as templateFrom gives it",
);
export const engine = having(
  { name: needed(text), capabilities: needed(having({}, "")), load: needed(call), tune: needed(call) },
  "an engine",
);
export const checkers = namedBy(call, "checkers by name");
export const dtype = oneOf("F32", "F16", "BF16");
