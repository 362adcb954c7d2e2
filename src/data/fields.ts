/**
 * Safe looks into a value of unknown shape: own properties only, so that keys such as `__proto__` or `constructor` are
 * nothing but names.
 * May not know: formats, data sets.
 */
import { excerpt } from "../util/terminal.js";

/** The own property, or undefined. */
export function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** A key as far as spelling goes that people vary: without capitals, `_`, `-` and spaces. */
export const plainKey = (key: string): string => key.toLowerCase().replace(/[_\-\s]/g, "");

/** A text field, or the reason why there is none. */
export type TextField = { readonly text: string } | { readonly problem: string };

/** A field that must be there and be Unicode text. It may be empty. */
export function textField(value: Record<string, unknown>, key: string): TextField {
  const found = own(value, key);
  if (found === undefined) return { problem: missingKey(value, key) };
  if (typeof found !== "string") return { problem: `"${key}" is ${kindOf(found)}, not a text` };
  return isWellFormed(found) ? { text: found } : { problem: `"${key}" has half a surrogate pair: not Unicode text` };
}

function missingKey(value: Record<string, unknown>, key: string): string {
  const similar = Object.keys(value).find((other) => plainKey(other) === plainKey(key));
  return similar === undefined
    ? `no "${key}" (${keysOf(value)})`
    : `no "${key}", but "${excerpt(similar, 40)}": write the key as "${key}"`;
}

/** A field that a file may leave empty: absent, null and "" are the same, as they are in CSV. */
export function optionalTextField(value: Record<string, unknown>, key: string): TextField {
  const found = own(value, key);
  return found === undefined || found === null ? { text: "" } : textField(value, key);
}

/** A field that must exist as a column but may be null or empty (CSV and pandas know no difference). */
export function columnField(value: Record<string, unknown>, key: string): TextField {
  return own(value, key) === null ? { text: "" } : textField(value, key);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
export const isWellFormed = (text: string): boolean => !LONE_SURROGATE.test(text);

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "absent";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** `it has "a", "b"`, for reasons. */
export function keysOf(value: Record<string, unknown>): string {
  const keys = Object.keys(value);
  if (keys.length === 0) return "the row is empty";
  const shown = keys.slice(0, 8).map((key) => `"${excerpt(key, 40)}"`);
  return `it has ${shown.join(", ")}${keys.length > shown.length ? ", …" : ""}`;
}
