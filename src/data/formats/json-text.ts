/**
 * One JSON value out of untrusted text, or the reason why not. Nesting is bounded before the text is parsed.
 * May not know: files, data sets.
 */
import { reasonOf } from "../../util/errors.js";
import { excerpt } from "../fields.js";

/** Data rows are two or three levels deep; what is deeper than this is not data. */
export const MAX_DEPTH = 100;
/** Shorter texts cannot nest deeply enough to cost anything. */
const DEPTH_CHECK_LENGTH = 10_000;

export type JsonResult = { readonly value: unknown } | { readonly problem: string };

export function parseJsonText(text: string): JsonResult {
  if (text.length > DEPTH_CHECK_LENGTH && isDeeperThan(text, MAX_DEPTH)) {
    return { problem: `nested deeper than ${MAX_DEPTH} levels` };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `not JSON: ${excerpt(reasonOf(error))}` };
  }
}

/** Brackets inside strings do not count. Text that is not JSON may give either answer; parsing refuses it anyway. */
export function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}
