/**
 * One JSON value out of a row of data, or the reason why not.
 * May not know: files, data sets.
 */
import { tryJson } from "../../util/json.js";

export type JsonRow = { readonly value: unknown } | { readonly problem: string };

export function parseJsonText(text: string): JsonRow {
  const result = tryJson(text);
  if ("value" in result) return result;
  return { problem: `${result.problem} (character ${result.offset + 1})` };
}
